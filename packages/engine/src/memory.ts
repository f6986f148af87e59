/** How long a training step took on each of several engines. */
export interface Comparison {
  /** When that was, in ISO 8601. */
  readonly at: string;
  /** By the engine's name, in milliseconds. */
  readonly stepMs: Readonly<Record<string, number>>;
}

/** Keeps comparisons under all that they depend on. */
export interface Memory {
  recall(key: string): Promise<Comparison | undefined>;
  keep(key: string, comparison: Comparison): Promise<void>;
}

/** Forgets when the program ends. */
export function memoryInProcess(): Memory {
  const kept = new Map<string, Comparison>();
  return {
    recall: async (key) => kept.get(key),
    keep: async (key, comparison) => {
      kept.set(key, comparison);
    },
  };
}
