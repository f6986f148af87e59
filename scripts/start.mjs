// `npm start`: trains the angle paper's first network, prunes it by angle and leaves model, plan and report.
import { build, install, run } from './setup.mjs';

console.log('Installing and building (the first time takes a minute or two) ...');
install();
build();
run('node', [
  'apps/cli/bin/espalier.js',
  'train',
  '--model',
  'lenet-net1',
  '--epochs',
  '2',
  '--out',
  'espalier-out/net1',
]);
run('node', [
  'apps/cli/bin/espalier.js',
  'prune',
  'espalier-out/net1/model',
  '--pruner',
  'angle',
  '--scope',
  'flatten',
  '--count',
  '158',
  '--epochs',
  '1',
  '--out',
  'espalier-out/net1-pruned',
]);
