/**
 * What core knows of a kind of layer: one rule each, in a table that users can add to. Nothing else in
 * the code base knows a layer's class.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { Labels } from './labels.ts';

/** A layer of tfjs-layers. */
export type Layer = layers.Layer;

/**
 * What an axis of a weight means to the units whose labels it carries: it `reads` them (the input axis of
 * a kernel: zeroing it hides the unit from the consumer), `makes` them (its output axis), or works `along`
 * them (a normalisation's vectors, a depthwise kernel).
 */
export interface WeightAxis {
  readonly role: 'reads' | 'makes' | 'along';
  readonly labels: Int32Array;
}

/** Whose units stand on the axes of one weight, and what the weight is used for. */
export interface WeightLabels {
  /** One entry for each axis of the weight; `null` where an axis is not about units. */
  readonly axes: readonly (WeightAxis | null)[];
  /**
   * How often one forward pass of one example multiplies by each entry, so that multiply-adds are
   * entries times uses. Default 0: not counted (biases, normalisations).
   */
  readonly uses?: number;
  /** For a kernel that multiplies what comes in: this is where compensation can act. */
  readonly contracts?: Contraction;
}

/** What a kernel's `reads` axis sums over. */
export interface Contraction {
  /** The axis (without the batch) of what comes in. */
  readonly inputAxis: number;
  /** Whose calls read it, and by which of their inputs. Default: those of the layer, by the first. */
  readonly of?: { readonly layer: Layer; readonly input: number };
  /** The bias vector beside it. */
  readonly bias?: string;
}

/** What a layer multiplies units by. */
export interface Gain {
  readonly labels: Int32Array;
  /** One factor for each label, from the layer's weights by their names. */
  of(weight: (name: string) => Tensor | undefined): Tensor;
}

/** Where units are seen while data flows: what a layer, or a part of it, puts out at each call. */
export interface Observation {
  readonly layer: Layer;
  /** The axis (without the batch) of its first output that the units stand on. */
  readonly axis: number;
  readonly labels: Int32Array;
}

/** A layer inside another one, which calls it. */
export interface InnerLayer {
  readonly layer: Layer;
  /** Its name within the outer one's path. */
  readonly name: string;
  /** Where the outer layer's config holds its class and config. */
  readonly at: readonly (string | number)[];
  /** How often one call of the outer layer calls it. Default 1. */
  readonly times?: number;
}

/** What a rule answers. */
export interface LayerLabels {
  /** One for each output tensor. */
  readonly outputs: readonly Labels[];
  /** By the last part of the weight's name (`kernel`, `bias`, ...). */
  readonly weights?: Readonly<Record<string, WeightLabels>>;
  /**
   * The fields of the layer's config that change when units go; `kept` gives the indices that stay, in
   * order. `className` replaces the layer by another kind.
   */
  readonly config?: (kept: (labels: Int32Array) => number[]) => Readonly<Record<string, unknown>>;
  readonly className?: (kept: (labels: Int32Array) => number[]) => string | undefined;
  /** The vector, one entry for each unit, that is added last of all: a constant can go there. */
  readonly adds?: string;
  /** The vector, one entry for each unit, that is taken off first of all in inference: a constant less there is one more. */
  readonly takesOff?: string;
  /** The vector, one entry for each unit, that multiplies each unit by itself: how much of it gets through. */
  readonly scales?: string;
  /** By how much it multiplies each unit in inference, its weights and constants together. */
  readonly gain?: Gain;
  /** Where the units that it makes are observed, if not at its output. */
  readonly observed?: readonly Observation[];
}

/** One call of a layer, as a rule sees it. */
export interface LayerCall {
  readonly layer: Layer;
  /** `layer.getConfig()`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Labels[];
  /** Of each output, without the batch; unknown dimensions are 1. */
  readonly outputShapes: readonly (readonly number[])[];
  /** New labels for units that the layer makes; the same ones each time that the layer is called. */
  make(count: number): Int32Array;
  /** One label of its own for each position, with the position's present label as parent (likewise). */
  makeFeatures(labels: Labels): Labels;
  /** The labels along one axis (negative: from the end), tied together along all others. */
  along(labels: Labels, axis: number): Int32Array;
  /** The same labels, tied together along one axis alone. */
  tie(labels: Labels, axis: number): Labels;
  /**
   * Says that the positions that stay must fill a box. Where labels still vary along several axes once all
   * layers have spoken, they are tied along all but `axis`.
   */
  keepBox(labels: Labels, axis: number): void;
  /** Ties labels position by position; the arrays have one length. */
  unify(a: Int32Array, b: Int32Array): void;
  /** These units can't go, because ... */
  freeze(labels: Labels, reason: string): void;
  /** These units can go, but the smaller model then differs from the masked one, because ... */
  markInexact(labels: Labels, reason: string): void;
  /** Follows the units through an inner layer, whose weights are then its own. Shapes are without the batch. */
  inner(
    part: InnerLayer,
    inputs: readonly Labels[],
    outputShapes: readonly (readonly number[])[],
  ): readonly Labels[];
}

/** How labels pass through one kind of layer. */
export interface LayerRule {
  /** Follow the unit past this layer before observing it: it changes each unit's values on its own. */
  readonly pointwise?: boolean;
  /** Its output is the sum of its inputs: it can do without one that is always the same. */
  readonly sum?: boolean;
  trace(call: LayerCall): LayerLabels;
}

const rules = new Map<string, LayerRule>();

/**
 * Teaches Espalier a kind of layer, by its class name; a rule that is there already is replaced.
 *
 * ```ts
 * registerLayer('Swish', { pointwise: true, trace: ({ inputs }) => ({ outputs: inputs }) });
 * ```
 */
export function registerLayer(className: string, rule: LayerRule): void {
  if (className.length === 0) throw new Error('[core] registerLayer needs the class name of a layer');
  rules.set(className, rule);
}

/** The rule for a class of layers, if there is one. */
export const ruleFor = (className: string): LayerRule | undefined => rules.get(className);
