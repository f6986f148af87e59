import { type BatchNumbers, type BatchParts, complete, type Matrix } from './numbers.ts';

/** One epoch's batches in plain numbers, and what the checks make of them. */
export type Epoch = readonly BatchNumbers[];

export const epochOf = (batches: readonly BatchParts[]): Epoch => batches.map(complete);

/** Four batches whose weights move on by a step of gradient descent each. */
export function descent(): Epoch {
  const epoch: BatchNumbers[] = [];
  for (let seed = 4; seed > 0; seed--) {
    // from the last step backwards: a step that is left out ends at the batch's weights
    const next = epoch[0]?.updates;
    const weights = next && { incoming: next.incoming.before, outgoing: next.outgoing.before };
    epoch.unshift(complete({ ...weights, seed }));
  }
  return epoch;
}

export const unitsOf = (epoch: Epoch): number => epoch[0]?.bias.length ?? 0;

/** The batches with other units: unit `i` is what unit `order[i]` was. */
export function select(epoch: Epoch, order: readonly number[]): Epoch {
  return rearrange(
    epoch,
    (row) => order.map((unit) => row[unit]!),
    (rows) => order.map((unit) => rows[unit]!),
  );
}

/** The batches with all numbers of some units 0. */
export function deaden(epoch: Epoch, isDead: (unit: number) => boolean): Epoch {
  return rearrange(
    epoch,
    (row) => row.map((value, unit) => (isDead(unit) ? 0 : value)),
    (rows) => rows.map((row, unit) => (isDead(unit) ? row.map(() => 0) : row)),
  );
}

export function scale(epoch: Epoch, factor: number): Epoch {
  const scaled = (row: readonly number[]) => row.map((value) => value * factor);
  return rearrange(epoch, scaled, (rows) => rows.map(scaled));
}

/** Whatever the pattern, every unit is the same. */
export function constant(epoch: Epoch): Epoch {
  return epoch.map((numbers) => ({
    ...numbers,
    activations: numbers.activations.map((row) => row.map(() => 0.5)),
  }));
}

/** The same patterns in one batch, and in up to four of unlike sizes, all under the last weights. */
export function cut(epoch: Epoch): readonly [whole: Epoch, parts: Epoch] {
  const whole = {
    ...epoch.at(-1)!,
    activations: epoch.flatMap(({ activations }) => activations),
    errors: epoch.flatMap(({ errors }) => errors),
    losses: epoch.flatMap(({ losses }) => losses),
  };
  const patterns = whole.activations.length / whole.positions;
  const ends = [...new Set([1, Math.ceil(patterns / 4), Math.ceil(patterns / 2), patterns])];
  const rowsOf = (rows: Matrix, part: number, end: number, positions = whole.positions) =>
    rows.slice((ends[part - 1] ?? 0) * positions, end * positions);
  const parts = ends.map((end, part) => ({
    ...whole,
    activations: rowsOf(whole.activations, part, end),
    errors: rowsOf(whole.errors, part, end),
    losses: rowsOf(whole.losses, part, end, 1),
  }));
  return [[whole], parts];
}

/** Applies to every row that holds a number for each unit, and to every matrix that holds a row for each. */
function rearrange(
  epoch: Epoch,
  row: (values: readonly number[]) => readonly number[],
  rows: (matrix: Matrix) => Matrix,
): Epoch {
  const columns = (matrix: Matrix) => matrix.map(row);
  return epoch.map(
    ({ incoming, bias, outgoing, scales, activations, errors, losses, positions, updates, group }) => ({
      group,
      incoming: columns(incoming),
      bias: row(bias),
      outgoing: rows(outgoing),
      scales: columns(scales),
      activations: columns(activations),
      errors: columns(errors),
      losses: columns(losses),
      positions,
      updates: {
        incoming: {
          gradient: columns(updates.incoming.gradient),
          before: columns(updates.incoming.before),
          after: columns(updates.incoming.after),
        },
        outgoing: {
          gradient: rows(updates.outgoing.gradient),
          before: rows(updates.outgoing.before),
          after: rows(updates.outgoing.after),
        },
      },
    }),
  );
}
