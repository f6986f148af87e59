import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { suggest } from '../parse.ts';

/** One of some names; the error guesses which was meant. */
export const choice = <const Name extends string>(names: readonly Name[]): z.ZodEnum<{ [N in Name]: N }> =>
  z.enum(names, { error: ({ input }) => suggest(String(input), names) });

/** An object of these keys and no others; the error guesses which was meant. */
export const strict = <Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> =>
  z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const [key] = (issue as { readonly keys: readonly string[] }).keys;
      const known = Object.keys(shape);
      return `there is no '${key}'. ${known.length > 0 ? suggest(key!, known) : 'There are no options'}`;
    },
  });

/** `phases[0].pruner: what is wrong with it`. */
export function explain({ issues }: z.core.$ZodError): string {
  const { path, message } = closest(issues);
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return place === '' ? message : `${place.replace(/^\./, '')}: ${message}`;
}

/** A value of an option on the command line, checked as in a config file. */
export function valid<T>(schema: z.ZodType<T>, value: unknown): T {
  const { data, error } = schema.safeParse(value);
  if (error) throw new InvalidArgumentError(explain(error));
  return data;
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** How unlike what was meant a member of a union is: 0 if it fits at the top, and in its name. */
const strangeness = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(
    ...issues.map((issue) => {
      if (issue.code === 'invalid_union' && issue.path.length === 0 && issue.errors.length > 0) {
        return Math.min(...issue.errors.map(strangeness));
      }
      if (issue.path.length === 0 && issue.code === 'invalid_type') return 2;
      return issue.path[0] === 'name' ? 1 : 0;
    }),
  );

/** The first issue; of a union that of the member that was meant. */
function closest([issue]: readonly z.core.$ZodIssue[]): Issue {
  if (issue?.code !== 'invalid_union' || issue.errors.length === 0) return issue!;
  const meant = issue.errors.reduce((a, b) => (strangeness(b) < strangeness(a) ? b : a));
  if (strangeness(meant) > 1) return issue;
  const { path, message } = closest(meant);
  return { path: [...issue.path, ...path], message };
}

/** The same keys, each of which may be left out. */
export const optional = <Shape extends z.ZodRawShape>(
  shape: Shape,
): { [Key in keyof Shape]: z.ZodExactOptional<Shape[Key]> } =>
  Object.fromEntries(Object.entries(shape).map(([key, type]) => [key, z.exactOptional(type)])) as {
    [Key in keyof Shape]: z.ZodExactOptional<Shape[Key]>;
  };
