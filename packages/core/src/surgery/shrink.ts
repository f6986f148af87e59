import type { LayersModel } from '@tensorflow/tfjs-layers';
import { analyzeInternals } from '../graph/analyze.ts';
import { checkPlan } from '../plan/removal.ts';
import type { Plan } from '../plan/types.ts';
import { withoutBranches } from './branches.ts';
import { heldPlan, maskedPlan } from './mask.ts';
import { reassemble } from './reassemble.ts';
import { compensate, readWeights } from './weights.ts';

/**
 * Makes the smaller model that a plan describes: new tensors, the same layer and weight names, compiled as
 * the given one is, its optimizer going on where that one stands. The given model is not changed. Without
 * a plan it removes what was masked before.
 *
 * The new model is plain TensorFlow.js: it saves and loads without Espalier, but for a `FeatureSelection`
 * layer if single features of a flattened map were removed, and a `ChannelBias` where a residual branch went whole
 * and no other layer can take what it still added.
 *
 * @throws if the plan is for another model or makes no sense for it, or there is none.
 */
export async function shrink(model: LayersModel, given?: Plan): Promise<LayersModel> {
  const analysis = analyzeInternals(model);
  const plan = given ?? (await heldPlan(model, analysis));
  if (plan === undefined) {
    throw new Error(
      '[core] shrink needs a plan: nothing was masked in this model. Make one by plan(model, ...)',
    );
  }
  const removal = checkPlan(model, analysis, plan);
  const values = await readWeights(analysis.trace.layers);
  compensate(removal, plan, maskedPlan(model), values);
  const joined = await withoutBranches(removal, values);
  return reassemble(model, analysis, { removal, values, remade: new Map(), ...joined });
}
