import { evidenceFields } from '../evidence/criteria.ts';
import type { Pruner } from '../pruner.ts';
import { type Budget, checkBudget } from './budget.ts';
import { addOutgoing, type Compensation, none } from './compensation.ts';
import { checkLimits, type Limits } from './limits.ts';
import { type Ranking, rankings } from './ranking.ts';
import type { Scope } from './scope.ts';

/** What to prune, by whose judgement, and how. */
export interface Pruning extends Scope, Limits {
  readonly pruner: Pruner;
  /** How far to go. A pair pruner without one goes as far as its own bounds. */
  readonly budget?: Budget;
  /**
   * Which groups share the budget, and are ranked together for it: none (`local`), those of like parts (`isomorphic`), or
   * all of the scope (`global`). Default `'local'`.
   */
  readonly ranking?: Ranking;
  /**
   * By default `addOutgoing()` for a pruner that names partners (with means, if it `leavesMeans`), what an elimination
   * counts on (`reconstruction`: `leastSquares()`), else `none()`.
   */
  readonly compensation?: Compensation;
  /**
   * Whether layers may go of which every unit should: a branch beside a sum (residual) then goes with its layers, and
   * none of `minUnits` and `roundTo` holds it. By default one unit always stays.
   */
  readonly wholeLayers?: boolean;
}

/** What the survivors take over, by default too. */
export const compensationOf = ({ pruner, compensation }: Pruning): Compensation =>
  compensation ?? (namesPartners(pruner) ? addsOutgoing(pruner) : (countedOn(pruner) ?? none()));

const addsOutgoing = (pruner: Pruner): Compensation =>
  addOutgoing({ alone: leavesMeans(pruner) ? 'mean' : 'nothing' });

/** Of several criteria it is what all of them count on. */
function countedOn(pruner: Pruner): Compensation | undefined {
  if (!('members' in pruner)) return 'measure' in pruner ? pruner.compensation : undefined;
  const [first, ...others] = pruner.members.map(countedOn);
  return others.every((other) => other?.name === first?.name) ? first : undefined;
}

const leavesMeans = (pruner: Pruner): boolean =>
  'members' in pruner ? pruner.members.some(leavesMeans) : 'compare' in pruner && pruner.leavesMeans === true;

/** Whether its proposals may say who takes over. */
const namesPartners = (pruner: Pruner): boolean =>
  'members' in pruner ? pruner.members.some(namesPartners) : 'compare' in pruner;

/** Whether it leaves units out of its proposals by itself. */
const setsBounds = (pruner: Pruner): boolean =>
  'members' in pruner ? pruner.members.every(setsBounds) : 'compare' in pruner;

/** @throws if a pruner made of others does not need what they do: they would be shown nothing. */
function checkMembers(pruner: Pruner): void {
  if (!('members' in pruner)) return;
  for (const member of pruner.members) {
    const missing = member.needs?.find((need) => !pruner.needs?.includes(need));
    if (missing !== undefined) {
      throw new Error(
        `[core] ${pruner.name} has a member, ${member.name}, that needs '${missing}', so its own needs must list it`,
      );
    }
    checkMembers(member);
  }
}

/** @throws if the options contradict each other. */
export function checkPruning(options: Pruning): void {
  const pruner = (options as Pruning | undefined)?.pruner;
  if (!(pruner instanceof Object)) {
    throw new Error('[core] there is no pruner: give one, e.g. { pruner: random() }');
  }
  const judging = ['score', 'compare', 'measure', 'pass', 'members'];
  if (!judging.some((hook) => hook in pruner)) {
    throw new Error(`[core] the pruner has none of ${judging.join(', ')}: call its factory, e.g. random()`);
  }
  const strange = pruner.needs?.find((need) => !evidenceFields.includes(need));
  if (strange !== undefined) {
    throw new Error(
      `[core] ${pruner.name} needs '${strange}', but there are only ${evidenceFields.join(', ')}`,
    );
  }
  checkMembers(pruner);
  const compensation = compensationOf(options);
  if (compensation.partners && !namesPartners(pruner)) {
    throw new Error(
      `[core] compensation '${compensation.name}' gives a removed unit's weights to its partner, but ${pruner.name} ` +
        'names no partners: use a pruner of pairs (angle), or foldMean()',
    );
  }
}

/**
 * @throws if the budget or a limit makes no sense, the budget is missing where the pruner sets no bounds of its own, or
 * there is none that groups could share.
 */
export function checkExtent({ pruner, budget, ranking = 'local', ...limits }: Pruning): void {
  checkLimits(limits);
  if (!rankings.includes(ranking)) {
    throw new Error(`[core] ranking must be one of ${rankings.join(', ')}, got ${JSON.stringify(ranking)}`);
  }
  if (ranking !== 'local' && (!budget || 'threshold' in budget)) {
    throw new Error(
      `[core] a ${ranking} ranking shares a budget out: give budget: { fraction: 0.4 }, { count: 10 } or { params: 0.5 }, ` +
        'or leave the ranking out',
    );
  }
  if (budget) {
    checkBudget(budget);
  } else if (!setsBounds(pruner)) {
    throw new Error(
      `[core] ${pruner.name} gives scores, so say how far to go: budget: { fraction: 0.4 }, { count: 10 }, { params: 0.5 } ` +
        'or { threshold: 1e-3 }',
    );
  }
}
