import * as z from 'zod';
import type { Plan } from './types.ts';

const count = z.int().nonnegative();
const cost = z.object({ params: z.number(), macs: z.number(), bytes: z.number() });

// the annotation holds the schema to the type
const schema: z.ZodType<Plan> = z.object({
  version: z.literal(1),
  model: z.object({ name: z.string(), fingerprint: z.string() }),
  pruner: z.string(),
  compensation: z.string(),
  groups: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(['neuron', 'channel', 'feature']),
      size: count,
      remove: z.array(count),
      scores: z.array(z.number().nullable()),
    }),
  ),
  folds: z.array(
    z.object({
      group: z.string(),
      layer: z.string(),
      weight: z.string(),
      units: z.array(
        z.object({
          unit: count,
          into: z.array(z.tuple([count, z.number()])),
          constants: z.array(z.number()).exactOptional(),
        }),
      ),
    }),
  ),
  refits: z
    .array(
      z.object({
        layer: z.string(),
        weight: z.string(),
        entries: z.array(count),
        kernel: z.array(z.number()),
        bias: z.array(z.number()).exactOptional(),
      }),
    )
    .exactOptional(),
  cost: z.object({ before: cost, after: cost }),
  spared: z.array(z.string()).exactOptional(),
  notes: z.array(z.string()),
});

/**
 * A plan from what was read from a file.
 *
 * @throws if it does not have the form of a plan; the message names the field.
 */
export function parsePlan(value: unknown): Plan {
  const { data, error } = schema.safeParse(value);
  if (data) return data;
  const { path, message } = error.issues[0]!;
  const field = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  throw new Error(`[core] this is not a plan: plan${field}: ${message}`);
}
