// `npm start`: the main job on the angle paper's first network, to reports worth looking at.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, install, root, run } from './setup.mjs';

const out = 'espalier-out/start';
const espalier = (...args) => run('node', ['apps/cli/bin/espalier.js', ...args]);
const heading = (text) => console.log(`\n== ${text}\n`);

heading('Installing and building (a minute or two the first time)');
install();
build();
rmSync(join(root, out), { recursive: true, force: true });

heading("Training the angle paper's Net1: 10 and 20 filters, 50 hidden neurons");
const training = ['--optimizer', 'momentum', '--learning-rate', '0.02'];
espalier('train', '--model', 'lenet-net1', ...training, '--epochs', '5', '--out', `${out}/net1`);

heading("The paper's pruning: 158 of the 320 inputs of the hidden layer, by angle, without retraining");
const paper = ['--scope', 'flatten', '--count', '158', '--epochs', '0'];
espalier('prune', `${out}/net1`, '--pruner', 'angle', ...paper, '--out', `${out}/paper`);

heading('Half of all filters and neurons, by angle, and one epoch of fine-tuning');
const half = ['--fraction', '0.5', '--epochs', '1'];
espalier('prune', `${out}/net1`, '--pruner', 'angle', ...half, '--out', `${out}/half`);

console.log(`
Look at
  ${out}/half/report.html    curves, confusion matrices, what went where, what it bought
  ${out}/paper/report.html   the same for the paper's pruning
Each folder holds model/ (plain TensorFlow.js), plan.json and record.jsonl, too.
`);
