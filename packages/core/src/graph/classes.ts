import { FIXED } from './labels.ts';

/**
 * Which labels live or die together (a union-find), which belong to a parent (a flattened feature to
 * its channel), and which may not go, with the reason.
 */
export class LabelClasses {
  /** `#up[label]`: towards the representative of its class. */
  #up: number[] = [FIXED];
  #owner: number[] = [-1];
  /** Parent labels and reasons stand at representatives only. */
  #parent = new Map<number, number>();
  #frozen = new Map<number, string>();
  #inexact = new Map<number, string>();

  /** The highest label in use. */
  get last(): number {
    return this.#up.length - 1;
  }

  /** `count` new labels made by the layer numbered `owner`; `parents[i]` takes label `i` along when it goes. */
  make(count: number, owner: number, parents?: Int32Array): Int32Array {
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      labels[i] = this.#up.length;
      this.#up.push(labels[i]!);
      this.#owner.push(owner);
      const parent = parents?.[i] ?? FIXED;
      if (parent !== FIXED) this.#parent.set(labels[i]!, parent);
    }
    return labels;
  }

  ownerOf(label: number): number {
    return this.#owner[label]!;
  }

  /** The representative of the label's class. */
  find(label: number): number {
    let root = label;
    while (this.#up[root] !== root) root = this.#up[root]!;
    for (let at = label; at !== root; ) {
      const next = this.#up[at]!;
      this.#up[at] = root;
      at = next;
    }
    return root;
  }

  /** The representative of the class that takes this one along, or `FIXED`. */
  parentOf(label: number): number {
    const root = this.find(label);
    const parent = this.#parent.get(root);
    if (parent === undefined) return FIXED;
    const top = this.find(parent);
    return top === root ? FIXED : top;
  }

  frozen(label: number): string | undefined {
    return this.#frozen.get(this.find(label));
  }

  inexact(label: number): string | undefined {
    return this.#inexact.get(this.find(label));
  }

  freeze(labels: Int32Array, reason: string): void {
    this.#mark(this.#frozen, labels, reason);
  }

  markInexact(labels: Int32Array, reason: string): void {
    this.#mark(this.#inexact, labels, reason);
  }

  /** Ties two labels; one tied to `FIXED` can't go, for `reason`. */
  unify(a: number, b: number, reason: string): void {
    if (a === FIXED || b === FIXED) {
      if (a !== b) this.freeze(Int32Array.of(a === FIXED ? b : a), reason);
      return;
    }
    const [low, high] =
      this.find(a) < this.find(b) ? [this.find(a), this.find(b)] : [this.find(b), this.find(a)];
    if (low === high) return;
    const [lowParent, highParent] = [this.#parent.get(low), this.#parent.get(high)];
    this.#up[high] = low;
    for (const reasons of [this.#frozen, this.#inexact]) {
      const moved = reasons.get(high);
      reasons.delete(high);
      if (moved !== undefined && !reasons.has(low)) reasons.set(low, moved);
    }
    this.#parent.delete(high);
    if (lowParent === undefined && highParent !== undefined) this.#parent.set(low, highParent);
    if (lowParent !== undefined && highParent !== undefined) this.unify(lowParent, highParent, reason);
  }

  /**
   * Once all is tied: a channel whose features can't all go can't go either, and classes that would take each
   * other along are one.
   */
  settle(): void {
    while (this.#tieCycle());
    for (const reasons of [this.#frozen, this.#inexact]) {
      for (const [root, reason] of [...reasons]) {
        for (let up = this.parentOf(root); up !== FIXED; up = this.parentOf(up)) {
          if (!reasons.has(up)) reasons.set(up, reason);
        }
      }
    }
  }

  /** Whether there was one. */
  #tieCycle(): boolean {
    for (const start of [...this.#parent.keys()]) {
      const path: number[] = [];
      for (let at = this.find(start); at !== FIXED; at = this.parentOf(at)) {
        const met = path.indexOf(at);
        if (met < 0) path.push(at);
        else {
          for (const one of path.slice(met)) this.unify(at, one, '');
          return true;
        }
      }
    }
    return false;
  }

  #mark(reasons: Map<number, string>, labels: Int32Array, reason: string): void {
    for (const label of labels) {
      if (label === FIXED) continue;
      const root = this.find(label);
      if (!reasons.has(root)) reasons.set(root, reason);
    }
  }
}
