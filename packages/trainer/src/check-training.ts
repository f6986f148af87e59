import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkDistillation } from './distillation.ts';
import { Stopper } from './early-stopping.ts';
import { checkNoises } from './noise.ts';
import { Phase } from './phase.ts';
import type { TrainOptions } from './train-options.ts';

/** The prunings of a training, or of the rest of one. */
export function phasesOf(model: LayersModel, { pruning = [], epochs, resume }: TrainOptions): Phase[] {
  const prunings = 'pruner' in pruning ? [pruning] : pruning;
  return prunings.map((one, i) => new Phase(model, one, epochs, resume?.phases[i]));
}

/**
 * What `train` looks at before it begins: worth a call before old results make room.
 *
 * @throws if the model is not compiled, or an option makes no sense.
 */
export function checkTraining(model: LayersModel, options: TrainOptions): void {
  const { epochs, batchSize = 64, resume, removal = 'shrink', earlyStopping, noise = [] } = options;
  if (!model.optimizer) throw new Error('[trainer] the model must be compiled: call model.compile first');
  if (!Number.isInteger(epochs) || epochs < 1)
    throw new Error(`[trainer] epochs must be at least 1, got ${epochs}`);
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new Error(`[trainer] batchSize must be at least 1, got ${batchSize}`);
  }
  if (removal !== 'shrink' && removal !== 'mask')
    throw new Error(`[trainer] removal must be 'shrink' or 'mask', got '${removal}'`);
  if (resume && resume.epoch > epochs) {
    throw new Error(
      `[trainer] ${resume.epoch} epochs are done already, so epochs must be at least that, got ${epochs}`,
    );
  }
  new Stopper(earlyStopping);
  checkNoises(model, noise);
  if (options.distillation) checkDistillation(options.distillation);
  const phases = phasesOf(model, options);
  const isAccuracyMeasured = ['acc', 'accuracy'].some((name) => model.metricsNames.includes(name));
  for (const phase of phases) {
    phase.check();
    phase.agenda.checkAccuracy(isAccuracyMeasured);
  }
  if (removal === 'shrink') checkApart(phases);
}

/** @throws if two phases watch the same training up to the same pruning: the first would shrink what the other saw. */
function checkApart(phases: readonly Phase[]): void {
  const seen = new Set<number>();
  for (const { agenda, watchesTraining } of phases) {
    if (!watchesTraining) continue;
    for (const { epoch } of agenda.steps) {
      if (!seen.has(epoch)) {
        seen.add(epoch);
        continue;
      }
      throw new Error(
        `[trainer] two pruners that watch the training would prune after epoch ${epoch}, and the first would shrink what ` +
          "the other has seen: set their schedules apart, combine them with byRank, or say removal: 'mask'",
      );
    }
  }
}
