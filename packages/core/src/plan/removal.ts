import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Analysis, type AnalyzedGroup, type Cost, layerCost, totalCost } from '../graph/analyze.ts';
import { constantPlaceOf } from '../graph/contraction.ts';
import { type Emptied, emptied } from '../graph/emptied.ts';
import { FIXED, product } from '../graph/labels.ts';
import type { TracedLayer, TracedWeight } from '../graph/trace.ts';
import { parsePlan } from './schema.ts';
import type { Plan, PlannedGroup, Refit } from './types.ts';

/** Which labels are gone under a plan. */
export class Removal {
  readonly analysis: Analysis;
  readonly #gone: Uint8Array;
  #emptied: Emptied | string | undefined;

  constructor(analysis: Analysis, groups: readonly Pick<PlannedGroup, 'id' | 'remove'>[]) {
    this.analysis = analysis;
    const { classes } = analysis.trace;
    this.#gone = new Uint8Array(classes.last + 1);
    for (const group of groups) this.add(group);
  }

  /** Lets more units go. */
  add({ id, remove }: Pick<PlannedGroup, 'id' | 'remove'>): void {
    const { roots } = this.analysis.byId.get(id)!;
    for (const unit of remove) this.#gone[roots[unit]!] = 1;
    this.#emptied = undefined;
  }

  isGone(label: number): boolean {
    const { classes } = this.analysis.trace;
    for (
      let root = label === FIXED ? FIXED : classes.find(label);
      root !== FIXED;
      root = classes.parentOf(root)
    ) {
      if (this.#gone[root]) return true;
    }
    return false;
  }

  /** The indices of the labels that stay, ascending. */
  kept(labels: Int32Array): number[] {
    const indices: number[] = [];
    for (let i = 0; i < labels.length; i++) if (!this.isGone(labels[i]!)) indices.push(i);
    return indices;
  }

  get cost(): Cost {
    const { gone, sums } = this.emptied;
    const left = this.analysis.trace.layers.filter((layer) => !gone.has(layer));
    const biases = sums.filter(({ hasConstant, place }) => hasConstant && !place);
    return totalCost([
      ...left.map((layer) => layerCost(layer, (labels) => this.kept(labels).length)),
      ...biases.map(({ layer, lost: [branch] }): Cost => {
        const params = this.kept(layer.inputs[branch!]!.labels.data).length;
        return { params, macs: 0, bytes: params * 4 };
      }),
    ]);
  }

  /**
   * The layers that go whole.
   *
   * @throws if a layer that must stay has no unit left.
   */
  get emptied(): Emptied {
    const found = this.#findEmptied();
    if (typeof found === 'object') return found;
    throw new Error(`[core] no unit is left at ${found}`);
  }

  /** Where no unit is left though one must be, and why, if there is such a place. */
  get overdone(): string | undefined {
    const found = this.#findEmptied();
    return typeof found === 'string' ? found : undefined;
  }

  #findEmptied(): Emptied | string {
    if (this.#emptied !== undefined) return this.#emptied;
    const axis = this.#emptyAxis();
    const found =
      axis === undefined
        ? { gone: new Set<TracedLayer>(), sums: [] }
        : emptied(this.analysis.trace, (label) => this.isGone(label));
    this.#emptied = typeof found === 'string' ? `${axis} (${found})` : found;
    return this.#emptied;
  }

  /** A weight's axis of which nothing is left, if there is one. */
  #emptyAxis(): string | undefined {
    for (const { path, weights } of this.analysis.trace.layers) {
      for (const { name, axes } of weights) {
        if (axes.some((axis) => axis && this.kept(axis.labels).length === 0)) return `${path}/${name}`;
      }
    }
    return undefined;
  }

  /** The units of a group that no consumer reads any more, though they stay. */
  unread(group: AnalyzedGroup): number[] {
    const readings = new Uint8Array(group.size);
    const left = new Uint8Array(group.size);
    for (const { layer, weight, axis, role, entries, units } of group.members) {
      if (role !== 'reads') continue;
      const axes = weightAxes(this.analysis, layer, weight);
      // a kernel that makes nothing any more reads nothing
      const isIdle = axes.some((other) => other?.role === 'makes' && this.kept(other.labels).length === 0);
      entries.forEach((entry, i) => {
        const unit = units[i]!;
        readings[unit] = 1;
        if (!isIdle && !this.isGone(axes[axis]!.labels[entry]!)) left[unit] = 1;
      });
    }
    return Array.from(group.roots.keys()).filter(
      (unit) => readings[unit] && !left[unit] && !this.isGone(group.roots[unit]!),
    );
  }
}

function weightAxes(analysis: Analysis, layer: string, weight: string): TracedWeight['axes'] {
  return analysis.trace.byPath.get(layer)!.weights.find(({ name }) => name === weight)!.axes;
}

/** A hash over the layers' names, kinds and weight shapes: the same before and after training. */
export function fingerprintOf({ trace }: Analysis): string {
  const text = JSON.stringify(
    trace.layers.map(({ path, layer, weights }) => [
      path,
      layer.getClassName(),
      weights.map(({ shape }) => shape),
    ]),
  );
  // FNV-1a, 32 bits
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/**
 * @throws if the plan is for another model, or was edited into one that can't be carried out.
 */
export function checkPlan(model: LayersModel, analysis: Analysis, given: Plan): Removal {
  const plan = parsePlan(given);
  const fingerprint = fingerprintOf(analysis);
  if (plan.model.fingerprint !== fingerprint) {
    throw new Error(
      `[core] the plan is for another model: it was made for '${plan.model.name}' (${plan.model.fingerprint}), ` +
        `this is '${model.name}' (${fingerprint}). Make a plan for this model, or load the one it was made for`,
    );
  }
  const seen = new Set<string>();
  for (const { id, size, remove } of plan.groups) {
    if (seen.has(id)) throw new Error(`[core] the plan names group '${id}' twice`);
    seen.add(id);
    const group = analysis.byId.get(id);
    if (!group) throw new Error(`[core] the plan names group '${id}', which ${model.name} does not have`);
    if (!group.prunable)
      throw new Error(`[core] the plan prunes group '${id}', which can't be: ${group.reason}`);
    if (size !== group.size) {
      throw new Error(`[core] the plan says that group '${id}' has ${size} units, but it has ${group.size}`);
    }
    const wrong = remove.find((unit) => unit >= size);
    if (wrong !== undefined) {
      throw new Error(
        `[core] the plan removes unit ${wrong} of group '${id}', which has units 0 to ${size - 1}`,
      );
    }
    if (new Set(remove).size !== remove.length) {
      throw new Error(`[core] the plan removes a unit of group '${id}' twice`);
    }
  }
  const removal = new Removal(analysis, plan.groups);
  const { overdone } = removal;
  if (overdone) throw new Error(`[core] the plan leaves no unit at ${overdone}: at least one must stay`);
  checkFolds(analysis, plan, removal);
  for (const refit of plan.refits ?? []) checkRefit(analysis, refit);
  return removal;
}

function checkRefit(
  { trace }: Analysis,
  { layer: path, weight, entries, kernel: changes, bias }: Refit,
): void {
  const where = `the plan's refit of ${path}/${weight}`;
  const layer = trace.byPath.get(path);
  const kernel = layer?.weights.find(({ name }) => name === weight);
  if (!layer || !kernel?.contracts) throw new Error(`[core] ${where} does not fit this model`);
  const axis = kernel.axes.findIndex((one) => one?.role === 'reads');
  const length = kernel.shape[axis]!;
  const wrong = entries.find((entry) => entry >= length);
  if (wrong !== undefined) {
    throw new Error(`[core] ${where} changes entry ${wrong}, but there are entries 0 to ${length - 1}`);
  }
  const numbers = (entries.length * product(kernel.shape)) / length;
  if (changes.length !== numbers) {
    throw new Error(`[core] ${where} must have ${numbers} numbers for its entries, found ${changes.length}`);
  }
  const biases = constantPlaceOf(trace, layer, kernel)?.weight.shape[0] ?? 0;
  if (bias && bias.length !== biases) {
    throw new Error(`[core] ${where} must have ${biases} numbers for the bias, found ${bias.length}`);
  }
}

function checkFolds(analysis: Analysis, plan: Plan, removal: Removal): void {
  for (const { group: id, layer, weight, units } of plan.folds) {
    const where = `the plan's fold of group '${id}' at ${layer}/${weight}`;
    const group = analysis.byId.get(id);
    const member = group?.members.find((m) => m.layer === layer && m.weight === weight && m.role === 'reads');
    const kernel = analysis.trace.byPath.get(layer)?.weights.find(({ name }) => name === weight);
    if (!group || !member || !kernel?.contracts) throw new Error(`[core] ${where} does not fit this model`);
    const entries = new Int32Array(group.size);
    for (const unit of member.units) entries[unit]!++;
    const folded = new Set<number>();
    for (const { unit, into, constants } of units) {
      if (!removal.isGone(group.roots[unit] ?? FIXED)) {
        throw new Error(`[core] ${where} folds unit ${unit}, which stays`);
      }
      if (folded.has(unit)) throw new Error(`[core] ${where} folds unit ${unit} twice`);
      folded.add(unit);
      for (const [target] of into) {
        const root = group.roots[target];
        if (root === undefined || removal.isGone(root) || entries[target] !== entries[unit]) {
          throw new Error(
            `[core] ${where} folds unit ${unit} into ${target}, which must stay and be as wide there`,
          );
        }
      }
      if (constants && constants.length !== entries[unit]) {
        throw new Error(
          `[core] ${where} must have ${entries[unit]} constants for unit ${unit}, found ${constants.length}`,
        );
      }
    }
  }
}
