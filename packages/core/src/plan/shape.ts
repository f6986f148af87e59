import type { Plan } from './types.ts';

/** The form of a value in JSON, as far as carrying out a plan relies on it. */
type Form = (value: unknown, path: string) => void;

const fail = (path: string, wanted: string, value: unknown): never => {
  const found = value === undefined ? 'nothing' : JSON.stringify(value)?.slice(0, 60);
  throw new Error(`[core] this is not a plan: ${path} must be ${wanted}, found ${found}`);
};

const text: Form = (value, path) => {
  if (typeof value !== 'string') fail(path, 'a text', value);
};

const finite: Form = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(path, 'a finite number', value);
};

const whole: Form = (value, path) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    fail(path, 'a whole number of at least 0', value);
};

const listOf =
  (item: Form): Form =>
  (value, path) => {
    if (!Array.isArray(value)) return fail(path, 'a list', value);
    // entries() visits holes, too
    for (const [i, one] of value.entries()) item(one, `${path}[${i}]`);
  };

const record =
  (fields: Readonly<Record<string, Form>>): Form =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return fail(path, 'an object', value);
    }
    for (const [name, form] of Object.entries(fields)) {
      form((value as Record<string, unknown>)[name], `${path}.${name}`);
    }
  };

const optional =
  (form: Form): Form =>
  (value, path) => {
    if (value !== undefined) form(value, path);
  };

const nullable =
  (form: Form): Form =>
  (value, path) => {
    if (value !== null) form(value, path);
  };

const target: Form = (value, path) => {
  if (!Array.isArray(value) || value.length !== 2) fail(path, 'a pair [unit, factor]', value);
  whole((value as unknown[])[0], `${path}[0]`);
  finite((value as unknown[])[1], `${path}[1]`);
};

const cost = record({ params: finite, macs: finite, bytes: finite });

const form = record({
  model: record({ name: text, fingerprint: text }),
  pruner: text,
  compensation: text,
  groups: listOf(
    record({ id: text, kind: text, size: whole, remove: listOf(whole), scores: listOf(nullable(finite)) }),
  ),
  folds: listOf(
    record({
      group: text,
      layer: text,
      weight: text,
      units: listOf(record({ unit: whole, into: listOf(target), constants: optional(listOf(finite)) })),
    }),
  ),
  cost: record({ before: cost, after: cost }),
  notes: listOf(text),
});

/** @throws if what may have been read from a file does not have the form of a plan. */
export function checkForm(plan: Plan): void {
  const { version } = (plan ?? {}) as { readonly version?: unknown };
  if (version !== 1) throw new Error(`[core] this is not a plan of version 1 (found ${String(version)})`);
  form(plan, 'plan');
}
