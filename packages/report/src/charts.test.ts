import { describe, expect, it } from 'vitest';
import { heatmap } from './heatmap.ts';
import { lineChart } from './line-chart.ts';

const matches = (svg: string, pattern: RegExp): number => [...svg.matchAll(pattern)].length;
const axes = { x: { name: 'epoch' }, y: { name: 'loss' } };
const points = [1, 2, 3, 4].map((x) => [x, 1 / x] as const);

describe('lineChart', () => {
  it('draws each point, with a tooltip, and each mark', () => {
    const marks = [
      { x: 2, label: 'first cut' },
      { x: 3, label: 'second cut' },
    ];
    const svg = lineChart({ title: 'Loss', ...axes, series: [{ name: 'train', points }], marks });
    expect(matches(svg, /<title>train, epoch \d: /g)).toBe(4);
    expect(svg).toContain('<title>train, epoch 4: 0.25</title>');
    expect(matches(svg, />first cut<\/text>/g)).toBe(1);
    expect(matches(svg, /stroke-dasharray="2,3"/g)).toBe(2);
  });

  it('says in words what it shows', () => {
    const svg = lineChart({ title: 'Loss', ...axes, series: [{ name: 'train', points }] });
    expect(svg).toMatch(
      /^<svg [^>]*role="img" aria-label="Loss. Line chart of loss against epoch. train from 1 to 0.25\."/,
    );
  });

  it('names several series in a legend, one alone in none', () => {
    const series = ['angle', 'random'].map((name) => ({ name, points }));
    expect(matches(lineChart({ title: 'A', ...axes, series }), />(angle|random)<\/text>/g)).toBe(2);
    expect(lineChart({ title: 'A', ...axes, series: [series[0]!] })).not.toContain('>angle</text>');
  });

  it('breaks a curve where it has no value', () => {
    const broken = points.map(([x, y]) => [x, x === 2 ? Number.NaN : y] as const);
    const svg = lineChart({ title: 'Loss', ...axes, series: [{ name: 'train', points: broken }] });
    expect(matches(svg, /<title>train/g)).toBe(3);
    expect(svg).not.toContain('NaN');
  });

  it('draws a band for a spread, in dashes what is in the background', () => {
    const series = [{ name: 'mean', points, spread: [0.1, 0.1, 0.1, 0.1], dashed: true }];
    const svg = lineChart({ title: 'A', ...axes, series });
    expect(matches(svg, /fill-opacity="0.16"/g)).toBe(1);
    expect(svg).toContain('stroke-dasharray="5,4"');
  });

  it('leaves labels out rather than let them run into one another', () => {
    const marks = Array.from({ length: 100 }, (_, i) => ({ x: 1 + i / 34, label: `cut ${i}` }));
    const svg = lineChart({ title: 'A', ...axes, series: [{ name: 'train', points }], marks });
    expect(matches(svg, /stroke-dasharray="2,3"/g)).toBe(100);
    expect(matches(svg, />cut \d+<\/text>/g)).toBe(0);
  });

  it('is the same every time, asks for nothing, and has both schemes’ colours', () => {
    const draw = (): string => lineChart({ title: 'A', ...axes, series: [{ name: 'train', points }] });
    expect(draw()).toBe(draw());
    expect(draw()).not.toMatch(/<script|<image|href=|url\((?!#)/);
    expect(draw()).toContain('prefers-color-scheme:dark');
  });

  it('escapes every text', () => {
    const name = '<script>alert("x")</script>';
    const series = [name, 'b'].map((one) => ({ name: one, points }));
    const svg = lineChart({ title: name, x: { name }, y: { name }, series, marks: [{ x: 2, label: name }] });
    expect(svg).not.toContain('<script');
  });

  it('draws what has no points at all', () => {
    expect(lineChart({ title: 'A', ...axes, series: [{ name: 'none', points: [] }] })).toContain(
      'none: no points',
    );
  });
});

describe('heatmap', () => {
  const labels = ['cat', 'dog', 'cat'];
  const values = [
    [5, 1, 0],
    [0, 7, 2],
    [0, 0, 9],
  ];
  const chart = { title: 'Pets', x: { name: 'predicted', labels }, y: { name: 'actual', labels }, values };

  it('writes each count that is not zero, right and wrong in different colours', () => {
    const svg = heatmap({ ...chart, confusion: true });
    expect(matches(svg, />[1-9]<\/text>/g)).toBe(5);
    expect(matches(svg, /fill="var\(--e-s1\)"/g)).toBe(3);
    expect(matches(svg, /fill="var\(--e-s2\)"/g)).toBe(2);
    expect(svg).toContain('<title>actual dog, predicted cat: 2 (22.2% of the row)</title>');
  });

  it('labels every class, also those of the same name', () => {
    expect(matches(heatmap(chart), />cat<\/text>/g)).toBe(4);
  });

  it('keeps 26 classes legible and drops counts where they could not be read', () => {
    const square = (size: number): string => {
      const names = Array.from({ length: size }, (_, i) => `c${i}`);
      return heatmap({
        ...chart,
        x: { name: 'p', labels: names },
        y: { name: 'a', labels: names },
        values: names.map(() => names.map(() => 188)),
      });
    };
    const letters = square(26);
    expect(matches(letters, />188<\/text>/g)).toBe(26 * 26);
    expect(
      Math.min(...[...letters.matchAll(/font-size:([\d.]+)px/g)].map(([, size]) => Number(size))),
    ).toBeGreaterThan(9);
    expect(matches(square(60), />188<\/text>/g)).toBe(0);
  });
});
