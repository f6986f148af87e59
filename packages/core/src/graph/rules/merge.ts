import { concatenate, expand, FIXED, fixed, type Labels, varyingAxes, withoutAxis } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';
import { axisAt } from './shared.ts';

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
    // a branch that is spread over the units of the others stays, and ties nothing
    const gates = branches.filter((branch) => {
      const across = branches.filter((other) => other !== branch).flatMap(varyingAxes);
      return across.length > 0 && across.every((a) => branch.shape[a] === 1);
    });
    for (const gate of gates) {
      freeze(gate, `${layer.name} spreads it over all units of another branch`);
    }
    const tied = branches.filter((branch) => !gates.includes(branch));
    if (tied.length === 0) return { outputs: [fixed(shape)] };
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
  trace({ config, inputs, along, tie }) {
    const axis = axisAt(config.axis as number, inputs[0]!.shape.length);
    const output = concatenate(inputs, axis);
    const across = varyingAxes(output).filter((a) => a !== axis);
    // along the other axes the parts must stay equally long
    if (inputs.some(({ dims }) => dims[axis]! > 1)) {
      return { outputs: [across.reduce((tied, a) => tie(tied, a), output)] };
    }
    for (const a of across) along(output, a);
    return { outputs: [output] };
  },
};

/** Which axes (without the batch) a Dot sums over; its config may have one number for both. */
function summedAxes(axes: number | readonly number[], inputs: readonly Labels[]): number[] {
  return inputs.map(({ shape }, i) => axisAt([axes].flat()[i % [axes].flat().length]!, shape.length));
}

/** Sums over the products of two tensors; what is left of the axes of the first comes before that of the second. */
const dot: LayerRule = {
  trace({ layer, config, inputs, outputShapes, along, unify, freeze, markInexact }) {
    const summed = summedAxes(config.axes as number | number[], inputs);
    const output = fixed(outputShapes[0]!);
    const isSummed = inputs.map(({ dims }, i) => dims[summed[i]!]! > 1);
    if (isSummed.every(Boolean)) {
      const [left, right] = inputs.map((labels, i) => along(labels, summed[i]!));
      unify(left!, right!);
      const reason = `${layer.name} sums over all units, also over those that are gone`;
      for (const data of [left!, right!]) markInexact({ ...output, data }, reason);
      return { outputs: [output] };
    }
    const rests = inputs.map((labels, i) => {
      if (!isSummed[i]) return withoutAxis(labels, summed[i]!);
      freeze(labels, `${layer.name} sums over it together with positions of another layer`);
      return fixed(labels.shape.filter((_, a) => a !== summed[i]));
    });
    const carrying = rests.filter(({ data }) => data.some((label) => label !== FIXED));
    if (carrying.length === 2) {
      for (const labels of carrying)
        freeze(labels, `${layer.name} multiplies each unit by each of another layer`);
      return { outputs: [output] };
    }
    const [carrier] = carrying;
    if (!carrier) return { outputs: [output] };
    const others = (i: number) => rests[i]!.shape.map(() => 1);
    const dims = carrier === rests[0] ? [...carrier.dims, ...others(1)] : [...others(0), ...carrier.dims];
    return { outputs: [{ ...output, dims: dims.length > 0 ? dims : [1], data: carrier.data }] };
  },
};

registerLayer('Add', { ...elementwise, sum: true });
for (const className of ['Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum']) {
  registerLayer(className, elementwise);
}
registerLayer('Concatenate', concatenation);
registerLayer('Dot', dot);
