/** What stands where a number is missing or not finite. */
export const MISSING = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const significant = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const padded = new Intl.NumberFormat('en-US', { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const precise = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

const scaled = (value: number, units: readonly string[]): string => {
  // 999,999 bytes are 1 MB, not 1,000 kB: the unit is chosen by the rounded value.
  const magnitude = Math.log(Math.abs(value) * 1.0005) / Math.log(1000);
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(magnitude)));
  // A scaled number was rounded: its zeros say how far.
  const digits = power > 0 ? padded : significant;
  return `${digits.format(value / 1000 ** power)} ${units[power]!}`.trim();
};

/** A count: exact up to a million, then to three digits: `48,120`, `1.35 M`, `4.10 G`. */
export const formatCount = (value: number): string => {
  if (!Number.isFinite(value)) return MISSING;
  return Math.abs(value) < 1e6 ? grouped.format(value) : scaled(value, ['', 'k', 'M', 'G', 'T']);
};

/** A count to three digits, for where many stand side by side: `113 k`, `1.35 M`. */
export const formatShort = (value: number): string =>
  Number.isFinite(value) ? scaled(value, ['', 'k', 'M', 'G', 'T']) : MISSING;

/** Bytes in powers of 1000: `812 B`, `48.1 kB`, `1.35 MB`. */
export const formatBytes = (value: number): string =>
  Number.isFinite(value) ? scaled(value, ['B', 'kB', 'MB', 'GB', 'TB']) : MISSING;

/** A latency to three digits: `48.7 µs`, `0.420 ms`, `12.3 ms`, `1.20 s`. */
export const formatMilliseconds = (value: number): string => {
  if (!Number.isFinite(value)) return MISSING;
  if (value > 0 && value < 0.1) return `${padded.format(value * 1000)} µs`;
  return value < 1000 ? `${padded.format(value)} ms` : `${padded.format(value / 1000)} s`;
};

/** A duration: `0.82 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. */
export const formatSeconds = (value: number): string => {
  if (!Number.isFinite(value)) return MISSING;
  if (value < 59.5) return `${value < 10 ? padded.format(value) : Math.round(value)} s`;
  const seconds = Math.round(value);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
};

/** A fraction as a percentage: `formatPercent(0.979)` is `97.9%`. Never rounds up to a full 100%. */
export const formatPercent = (fraction: number, digits = 1): string => {
  if (!Number.isFinite(fraction)) return MISSING;
  const rounded = (fraction * 100).toFixed(digits);
  const nearly = fraction < 1 && Number(rounded) >= 100;
  return `${nearly ? (100 - 10 ** -digits).toFixed(digits) : rounded}%`;
};

/** Two percentages with as many digits as it takes to tell them apart, two at most. */
export const formatPercents = (before: number, after: number): [string, string] => {
  const digits = before !== after && Math.abs(before - after) < 0.001 ? 2 : 1;
  return [formatPercent(before, digits), formatPercent(after, digits)];
};

/** A measured value to four digits: `0.08213`, `12.35`, `1.25e+12`. */
export const formatNumber = (value: number): string => {
  if (!Number.isFinite(value)) return MISSING;
  const size = Math.abs(value);
  return size >= 1e6 || (size > 0 && size < 1e-4) ? value.toExponential(2) : precise.format(value);
};

/** The change from `before` to `after`: `−61%`, `+4%`, `0%`; a dash when there is nothing to compare with. */
export const formatChange = (before: number, after: number): string => {
  const change = after / before - 1;
  if (!Number.isFinite(change)) return before === after ? '0%' : MISSING;
  const percent = Math.abs(change) * 100;
  if (percent === 0) return '0%';
  const size = percent < 0.1 ? '<0.1' : percent < 10 ? percent.toFixed(1) : percent.toFixed(0);
  // 99.9% gone is not 100% gone.
  return `${change < 0 ? '−' : '+'}${change < 0 && change > -1 && size === '100' ? '>99' : size}%`;
};

/** A change of a fraction in percentage points: `−0.44 pt`, `+1.20 pt`. */
export const formatPoints = (before: number, after: number): string => {
  const points = (after - before) * 100;
  if (!Number.isFinite(points)) return MISSING;
  const size = Math.abs(points).toFixed(2);
  return `${Number(size) === 0 ? '±' : points < 0 ? '−' : '+'}${size} pt`;
};

/** A layer's output shape without the batch: `28×28×8`. */
export const formatShape = (shape: readonly (number | null)[]): string =>
  shape
    .slice(1)
    .map((size) => (size === null ? '?' : String(size)))
    .join('×');

/** A ratio: `1.94×` as `1.9×`, `12.4×` as `12×`. */
export const formatRatio = (ratio: number): string =>
  `${ratio.toFixed(ratio < 1.1 ? 2 : ratio < 10 ? 1 : 0)}×`;

/** `1 epoch`, `2 epochs`. */
export const plural = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;

/** `Held` for `held`. */
export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
