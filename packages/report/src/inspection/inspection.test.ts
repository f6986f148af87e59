import type { Graph, Group, LayerSummary, Saving } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxesOf } from './boxes.ts';
import { layoutOf } from './layout.ts';
import { renderInspection } from './page.ts';
import { picture } from './picture.ts';

const layer = (name: string, inputs: string[], more: Partial<LayerSummary> = {}): LayerSummary => ({
  ...{ name, className: 'Dense', outputShape: [null, 4], inputs, groups: ['a'] },
  ...{ params: 0, macs: 0, bytes: 0, ...more },
});

const group = (id: string, producers: string[], reason?: string): Group => ({
  ...{ id, kind: 'neuron', size: 40, producers, members: [], exact: true },
  prunable: reason === undefined,
  ...(reason !== undefined && { reason }),
});

const graphOf = (layers: LayerSummary[], groups: Group[]): Graph => ({
  ...{ layers, groups },
  cost: { params: 1000, macs: 2000, bytes: 4000 },
});

const names = (graph: Graph): string[][] =>
  boxesOf(graph).map(({ layers }) => layers.map(({ name }) => name));
const reads = (graph: Graph): Record<string, string[]> =>
  Object.fromEntries(
    boxesOf(graph).map(({ layers, reads: from }) => [layers[0].name, from.map((box) => box.layers[0].name)]),
  );

const residual = graphOf(
  [
    layer('in', [], { groups: [] }),
    layer('a', ['in'], { macs: 9 }),
    layer('norm', ['a']),
    layer('act', ['norm']),
    layer('b', ['act'], { macs: 9 }),
    layer('sum', ['act', 'b']),
    layer('out', ['sum'], { groups: ['out'], macs: 9 }),
  ],
  [group('a', ['a', 'b']), group('out', ['out'], 'the model puts it out')],
);

describe('boxesOf', () => {
  it('draws what only passes units on with what is before it', () => {
    expect(names(residual)).toEqual([['in'], ['a', 'norm', 'act'], ['b'], ['sum'], ['out']]);
    expect(reads(residual)).toEqual({ in: [], a: ['in'], b: ['a'], sum: ['a', 'b'], out: ['sum'] });
  });

  it('draws what works inside another between what that one reads and that one', () => {
    const graph = graphOf(
      [
        layer('in', []),
        layer('each', ['in'], { className: 'TimeDistributed' }),
        layer('each/model/first', [], { inside: 'each' }),
        layer('each/model/last', ['each/model/first'], { inside: 'each', macs: 1 }),
        layer('out', ['each'], { macs: 1 }),
      ],
      [],
    );
    expect(reads(graph)).toEqual({
      in: [],
      'each/model/first': ['in'],
      'each/model/last': ['each/model/first'],
      each: ['each/model/last'],
      out: ['each'],
    });
    const around = boxesOf(graph).map((box) => [box.layers[0].name, box.around]);
    expect(around).toContainEqual(['each', ['each']]);
    expect(around).toContainEqual(['each/model/last', ['each', 'each/model']]);
  });

  it('knows a shared layer whose output comes back to it', () => {
    expect(reads(graphOf([layer('in', []), layer('twice', ['in', 'twice'])], []))).toEqual({
      in: [],
      twice: ['in', 'twice'],
    });
  });
});

describe('layoutOf', () => {
  it('places any wiring without overlaps, arrows pointing down', () => {
    const wiring = fc.array(
      fc.record({
        from: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
        model: fc.constantFrom('', 'm/', 'm/n/'),
      }),
      { minLength: 1, maxLength: 25 },
    );
    fc.assert(
      fc.property(wiring, (drawn) => {
        const layers = [layer('in', [], { macs: 1 })];
        for (const [i, { from, model }] of drawn.entries()) {
          const inputs = [...new Set(from.map((at) => layers[at % layers.length]!.name))];
          layers.push(layer(`${model}${i}`, inputs, { macs: 1 }));
        }
        const layout = layoutOf(boxesOf(graphOf(layers, [])), () => ({ width: 100, height: 40 }));
        const places = [...layout.boxes.values()];
        expect(places).toHaveLength(layers.length);
        for (const [i, a] of places.entries()) {
          const isAcross = a.x >= layout.left && a.x + 100 <= layout.left + layout.width;
          expect(isAcross && a.y >= 0 && a.y + 40 <= layout.height).toBe(true);
          for (const b of places.slice(0, i)) {
            expect(Math.abs(a.x - b.x) >= 100 || Math.abs(a.y - b.y) >= 40).toBe(true);
          }
        }
        for (const { points } of layout.edges) expect(points.at(-1)!.y).toBeGreaterThan(points[0]!.y);
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  it('leaves room for arrows that go round the outside', () => {
    // as in a U-Net: the last of each side reads the first of the other
    const [down, up] = [
      Array.from({ length: 6 }, (_, i) => `down${i}`),
      [0, 1, 2, 3, 4, 5].map((i) => `up${i}`),
    ];
    const layers = [layer('in', [], { macs: 1 })];
    for (const [i, name] of down.entries()) layers.push(layer(name, [down[i - 1] ?? 'in'], { macs: 1 }));
    for (const [i, name] of up.entries()) {
      layers.push(layer(name, [...new Set([up[i - 1] ?? down.at(-1)!, down[5 - i]!])], { macs: 1 }));
    }
    const { left, width, edges, boxes } = layoutOf(boxesOf(graphOf(layers, [])), () => ({
      width: 100,
      height: 40,
    }));
    const across = edges.flatMap(({ points }) => points.map(({ x }) => x));
    expect(Math.min(...across)).toBeGreaterThanOrEqual(left);
    expect(Math.max(...across)).toBeLessThanOrEqual(left + width);
    // dagre takes the boxes alone for the width
    const ends = [...boxes.values()].map(({ x }) => x + 100);
    expect(Math.min(...across) < 0 || Math.max(...across) > Math.max(...ends)).toBe(true);
  });

  it('survives layers that read one another in a circle', () => {
    const graph = graphOf(
      [layer('in', []), layer('a', ['in', 'b'], { macs: 1 }), layer('b', ['a'], { macs: 1 })],
      [],
    );
    expect(layoutOf(boxesOf(graph), () => ({ width: 9, height: 9 })).edges).toHaveLength(3);
  });
});

describe('picture', () => {
  it('numbers and colours groups, and says why others stay', () => {
    const svg = picture(residual, 'small');
    expect(svg).toMatch(/^<svg [^>]*role="img"/);
    // the group's number stands in the boxes of both that make it, and of their sum
    expect(svg.match(/<tspan fill="var\(--e-s1\)">1<\/tspan>/g)).toHaveLength(3);
    expect(svg).toContain('stays: the model puts it out');
    expect(svg).toContain('group 1, a: 40 units');
    expect(svg).toContain('+ Dense, Dense');
  });

  it('cuts what is too long, and cuts no number', () => {
    const long = 'word '.repeat(60).trim();
    const many = Array.from({ length: 9 }, (_, i) => `g${i}`);
    const graph = graphOf(
      [
        layer('x'.repeat(200), [], { groups: many }),
        layer('y', ['x'.repeat(200)], { groups: ['stays'], macs: 1 }),
      ],
      [...many.map((id) => group(id, [])), group('stays', ['y'], long)],
    );
    const svg = picture(graph, 'long');
    expect(Number(/ width="(\d+)"/.exec(svg)![1])).toBeLessThan(400);
    expect(svg).toContain('>+6</tspan>');
    const visible = svg.replaceAll(/<title>[^<]*<\/title>/g, '');
    expect(visible).not.toContain(long);
    expect(svg).toContain(long);
  });
});

describe('renderInspection', () => {
  const savings = new Map<string, Saving>([['a', { units: 4, params: 123, macs: 456, bytes: 492 }]]);

  it('shows what can go, what that saves, and what stays', () => {
    const html = renderInspection({ name: 'small', graph: residual, savings });
    const text = html
      .replaceAll(/<(style|title|svg)[\s\S]*?<\/\1>/g, '')
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ');
    expect(text).toContain('1 of 2 groups can be pruned: 40 units.');
    expect(text).toContain('a neuron 40 a, b 4 123 12.3% 456 22.8%');
    expect(text).toContain('What stays, and why');
    expect(text).toContain('out 40 out the model puts it out');
  });

  it('names faults first, and leaves out what is not there', () => {
    const html = renderInspection({
      name: 'x',
      graph: graphOf([layer('in', [], { groups: [] })], []),
      savings,
      faults: ['odd: no'],
    });
    expect(html).toContain('<p class="notice">odd: no</p>');
    expect(html).not.toContain('What can go');
    expect(html).not.toContain('What stays');
  });

  it('takes no markup from names', () => {
    const evil = '<script>"&\'';
    const graph = graphOf(
      [layer(evil, [], { className: evil, groups: [evil] })],
      [group(evil, [evil], evil)],
    );
    const html = renderInspection({ name: evil, graph, savings: new Map(), faults: [evil] });
    expect(html).not.toContain('<script');
  });
});
