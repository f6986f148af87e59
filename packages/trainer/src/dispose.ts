import type { LayersModel } from '@tensorflow/tfjs-layers';

/** Fields of tfjs-layers' models that have no public way in. */
interface CompileState {
  /** Whether `compile` made the optimizer of a name: then the model's `dispose` takes it along. */
  readonly isOptimizerOwned?: boolean;
  /** What that `dispose` takes along; a Sequential model's may not be the `optimizer` that was set later. */
  readonly optimizer_?: unknown;
}

/**
 * Frees a model and its optimizer, each once: tfjs variables don't notice that they are disposed twice, and
 * take tensors of others along.
 */
export function disposeModel(model: LayersModel): void {
  const { optimizer } = model;
  const { isOptimizerOwned, optimizer_ } = model as unknown as CompileState;
  const { refCountAfterDispose } = model.dispose();
  const gone = isOptimizerOwned && optimizer_ === optimizer && refCountAfterDispose === 0;
  if (!gone) optimizer?.dispose();
}
