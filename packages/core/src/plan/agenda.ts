import { checkSchedule, type Schedule, type Step } from './schedule.ts';
import { wholeOf } from './whole.ts';

/** A schedule at work in one training. */
export class Agenda {
  /** After which epochs it may prune. */
  readonly steps: readonly Step[];
  /** How many epochs are done when its phase begins. */
  readonly begin: number;
  readonly #schedule: Schedule;
  readonly #epochs: number;
  #accuracies: readonly number[];

  /**
   * @param accuracies those that an interrupted training had come to, to go on from there.
   * @throws if the schedule is none, or its steps are out of order or of bounds.
   */
  constructor(schedule: Schedule, epochs: number, accuracies: readonly number[] = []) {
    checkSchedule(schedule);
    this.steps = schedule.steps(epochs);
    this.begin = wholeOf((schedule.from ?? 0) * epochs);
    checkSteps(schedule.name, this.steps, this.begin, epochs);
    this.#schedule = schedule;
    this.#epochs = epochs;
    this.#accuracies = accuracies;
  }

  /** The validation accuracy after the epoch of each step so far, where the schedule looks at it. */
  get accuracies(): readonly number[] {
    return this.#accuracies;
  }

  /** @throws if it never prunes. */
  checkPrunes(): void {
    if (this.steps.length > 0) return;
    throw new Error(
      `[core] the schedule '${this.#schedule.name}' never prunes in ${this.#epochs} epochs: train for more, or let it ` +
        'prune earlier',
    );
  }

  /** @throws if the schedule looks at the validation accuracy, and there will be none. */
  checkAccuracy(isThere: boolean): void {
    if (isThere || !this.#schedule.allows) return;
    throw new Error(
      `[core] the schedule '${this.#schedule.name}' looks at the validation accuracy: give validation data, and ` +
        "compile the model with metrics: ['accuracy']",
    );
  }

  /** Whether its phase has begun after so many epochs, and a pruning may still come. */
  isOpen(done: number): boolean {
    const last = this.steps.at(-1)?.epoch ?? 0;
    // an accuracy that could not be better would change nothing: it is over
    const mayPrune = this.#schedule.allows?.([...this.#accuracies, 1]) ?? true;
    return mayPrune && this.begin <= done && done < last;
  }

  /**
   * How much of the way to the budget should be behind after this epoch; undefined if it does not prune now. Asked once
   * for each epoch, in order.
   *
   * @throws if the schedule looks at the validation accuracy and there is none.
   */
  shareAfter(epoch: number, accuracy: number | undefined): number | undefined {
    const step = this.steps.find((one) => one.epoch === epoch);
    if (!step || !this.#schedule.allows) return step?.share;
    this.checkAccuracy(accuracy !== undefined);
    this.#accuracies = [...this.#accuracies, accuracy!];
    return this.#schedule.allows(this.#accuracies) ? step.share : undefined;
  }
}

function checkSteps(name: string, steps: readonly Step[], begin: number, epochs: number): void {
  let before: Step = { epoch: begin, share: 0 };
  for (const step of steps) {
    const { epoch, share } = step;
    const isAfter = Number.isInteger(epoch) && epoch > before.epoch && epoch <= epochs;
    if (!isAfter || !(share >= before.share && share <= 1)) {
      throw new Error(
        `[core] the schedule '${name}' must have steps after ascending epochs from ${begin + 1} to ${epochs} with shares that ` +
          `don't descend from 0 to 1, got epoch ${epoch} with ${share} after epoch ${before.epoch} with ${before.share}`,
      );
    }
    before = step;
  }
}
