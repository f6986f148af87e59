import { concatenate, expand, FIXED, type Labels } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';

/** Merge layers line up tensors of different rank by adding axes after the batch. */
const toRank = (labels: Labels, rank: number): Labels => {
  const ones = new Array<number>(rank - labels.shape.length).fill(1);
  return { shape: [...ones, ...labels.shape], dims: [...ones, ...labels.dims], data: labels.data };
};

/** Value by value: the units of one branch hang together with those of the others. */
const elementwise: LayerRule = {
  trace({ layer, inputs, unify, freeze }) {
    const rank = Math.max(...inputs.map(({ shape }) => shape.length));
    const branches = inputs.map((labels) => toRank(labels, rank));
    const shape = branches[0]!.shape.map((_, a) => Math.max(...branches.map((branch) => branch.shape[a]!)));
    const unitAxes = shape.flatMap((_, a) => (branches.some(({ dims }) => dims[a]! > 1) ? [a] : []));
    // a branch whose one unit is spread over the units of another stays, and ties nothing
    const gates =
      unitAxes.length === 0 ? [] : branches.filter((branch) => unitAxes.every((a) => branch.shape[a] === 1));
    for (const gate of gates) {
      freeze(gate, `${layer.name} spreads it over all units of another branch`);
    }
    const tied = branches.filter((branch) => !gates.includes(branch));
    const dims = shape.map((_, a) => Math.max(...tied.map((branch) => branch.dims[a]!)));
    const [first, ...others] = tied.map((branch) => expand({ ...branch, shape }, dims));
    const data = Int32Array.from(first!.data);
    for (const other of others) {
      unify(data, other.data);
      other.data.forEach((label, i) => {
        if (data[i] === FIXED) data[i] = label;
      });
    }
    return { outputs: [{ shape, dims, data }] };
  },
};

const concatenation: LayerRule = {
  trace({ config, inputs, along }) {
    const rank = inputs[0]!.shape.length;
    // the config's axis counts the batch
    const axis = (config.axis as number) < 0 ? rank + (config.axis as number) : (config.axis as number) - 1;
    const output = concatenate(inputs, axis);
    // along all other axes the parts must stay equally long
    output.dims.forEach((n, a) => {
      if (a !== axis && n > 1) along(output, a);
    });
    return { outputs: [output] };
  },
};

for (const className of ['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum']) {
  registerLayer(className, elementwise);
}
registerLayer('Concatenate', concatenation);
