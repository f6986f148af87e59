import type { LayersModel } from '@tensorflow/tfjs-layers';
import { analyzeInternals } from '../graph/analyze.ts';
import type { Plan, PlannedGroup } from '../plan/types.ts';
import { writeWeight } from '../surgery/weights.ts';

/** A unit that stays, in a group of which others go: its outgoing weights change, and so must the outputs. */
export function perturb(model: LayersModel, { groups }: Plan): boolean {
  const chosen = [...groups].sort((a, b) => Number(a.kind === 'feature') - Number(b.kind === 'feature'))[0];
  if (chosen) perturbSurvivor(model, chosen);
  return chosen !== undefined;
}

/** Changes what is read of the first unit of a group that stays, where it is read at all. */
export function perturbSurvivor(model: LayersModel, { id, size, remove }: PlannedGroup): void {
  const { groups, trace } = analyzeInternals(model);
  const gone = new Set(remove);
  const survivor = Array.from({ length: size }, (_, unit) => unit).find((unit) => !gone.has(unit))!;
  for (const { layer: path, weight: name, axis, role, entries, units } of groups.find(
    (group) => group.id === id,
  )!.members) {
    if (role !== 'reads') continue;
    const weight = trace.layers
      .find((layer) => layer.path === path)!
      .weights.find((candidate) => candidate.name === name)!;
    const values = weight.variable.read().dataSync<'float32'>().slice();
    const inner = weight.shape.slice(axis + 1).reduce((total, n) => total * n, 1);
    const own = new Set(entries.filter((_, i) => units[i] === survivor));
    for (let i = 0; i < values.length; i++) {
      if (own.has(Math.floor(i / inner) % weight.shape[axis]!) && values[i] !== 0) values[i]! += 0.5;
    }
    writeWeight(weight.variable, values);
  }
}
