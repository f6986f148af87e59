import { InvalidArgumentError } from 'commander';
import { distance } from 'fastest-levenshtein';

/** The names, with a guess at which one was meant. */
export const suggest = (text: string, names: readonly string[]): string => {
  const [closest] = [...names].sort((a, b) => distance(text, a) - distance(text, b));
  const near = closest !== undefined && distance(text, closest) <= Math.max(2, closest.length / 3);
  return `${near ? `Did you mean ${closest}? ` : ''}Use one of: ${names.join(', ')}`;
};

/** A parser for one of some names. */
export const oneOf =
  <Name extends string>(names: readonly Name[]) =>
  (text: string): Name => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw new InvalidArgumentError(suggest(text, names));
    return found;
  };

export const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number');
  return value;
};

/** A parser for whole numbers. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Give a whole number of ${least} or more`);
    }
    return value;
  };

/** A parser for numbers above 0. */
export const positive = (text: string): number => {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError('Give a number above 0');
  return value;
};

/** Where something goes. */
export const place = (text: string): string => {
  if (text.trim() === '') throw new InvalidArgumentError('Give a path');
  return text;
};

/** What may be left: a share below 1, or a number above it. */
export const left = (text: string): number => {
  const value = number(text);
  if (value <= 0 || value === 1)
    throw new InvalidArgumentError(
      'Give the share that may be left, like 0.5, or a number above 1, like 20000',
    );
  return value;
};

/** A share above 0 and below 1. */
export const share = (text: string): number => {
  const value = number(text);
  if (value <= 0 || value >= 1) throw new InvalidArgumentError('Give a number above 0 and below 1, like 0.5');
  return value;
};

/** An accuracy. */
export const accuracy = (text: string): number => {
  const value = number(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError('Give an accuracy from 0 to 1, like 0.9');
  return value;
};

/** Percentage points. */
export const points = (text: string): number => {
  const value = number(text);
  if (value < 0 || value > 100) throw new InvalidArgumentError('Give points from 0 to 100, like 0.5');
  return value;
};

/** Names between commas. */
const list = (text: string, comma: string | RegExp = ','): string[] => {
  const names = text
    .split(comma)
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('Give one name or more, between commas');
  return names;
};

/** Names and globs between commas; those within braces belong to a glob. */
export const globs = (text: string): string[] => list(text, /,(?![^{}]*\})/);

/** Whole numbers between commas; nothing for no layers. */
export const widths = (text: string): number[] => (text.trim() === '' ? [] : text.split(',').map(whole(1)));

/** A parser for one number for all groups, or one for each by its id: `10` or `fc1=10,fc2=5`. */
const byGroup =
  (parse: (text: string) => number) =>
  (text: string): number | Record<string, number> => {
    if (!text.includes('=')) return parse(text);
    const numbers = new Map<string, number>();
    for (const pair of list(text)) {
      const at = pair.lastIndexOf('=');
      if (at < 1) throw new InvalidArgumentError(`Give each group as id=number, not '${pair}'`);
      const id = pair.slice(0, at).trim();
      if (numbers.has(id)) throw new InvalidArgumentError(`Give ${id} one number, not two`);
      numbers.set(id, parse(pair.slice(at + 1)));
    }
    return Object.fromEntries(numbers);
  };

/** Numbers of units. */
export const counts: (text: string) => number | Record<string, number> = byGroup(whole(0));

/** Shares of units: 0 or more and below 1. */
export const fractions: (text: string) => number | Record<string, number> = byGroup((text) => {
  const value = number(text);
  if (value < 0 || value >= 1) throw new InvalidArgumentError('Give a number from 0 to below 1, like 0.4');
  return value;
});

/** `step=8,seeds=3`: numbers and truth values as such. */
export const settings = (text: string): Record<string, unknown> =>
  Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new InvalidArgumentError(`Give each setting as name=value, not '${pair}'`);
      return [pair.slice(0, at).trim(), literal(pair.slice(at + 1).trim())];
    }),
  );

const literal = (text: string): unknown => {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
};
