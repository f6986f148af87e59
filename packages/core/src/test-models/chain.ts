import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { analyze, type Group } from '../graph/analyze.ts';
import type { Layer } from '../graph/rule.ts';

/** What a layer makes of one tensor or several. */
export const on = (layer: unknown, ...tensors: SymbolicTensor[]): SymbolicTensor[] =>
  [(layer as Layer).apply(tensors.length === 1 ? tensors[0]! : tensors) as SymbolicTensor].flat();

/** Layers one after the other, on an input of this shape, and a Dense layer `out` over all. */
export function chain(shape: number[], ...made: readonly unknown[]): LayersModel {
  const source = input({ shape });
  let [tensor] = made.reduce<SymbolicTensor[]>((tensors, layer) => on(layer, tensors[0]!), [source]);
  if (tensor!.shape.length > 2) [tensor] = on(layers.flatten({ name: 'flat' }), tensor!);
  return modelOf({ inputs: source, outputs: on(layers.dense({ units: 2, name: 'out' }), tensor!)[0]! });
}

export const groupOf = (model: LayersModel, id: string): Group =>
  analyze(model).groups.find((group) => group.id === id)!;

/** `layer/weight@axis: entries of unit 0 | of unit 1 | ...` */
export const membersOf = ({ members, size }: Group): string[] =>
  members.map(({ layer, weight, axis, role, entries, units }) => {
    const own = Array.from({ length: size }, (_, unit) => [...entries].filter((_, i) => units[i] === unit));
    return `${layer}/${weight}@${axis} ${role} ${own.join(' | ')}`;
  });
