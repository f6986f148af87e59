import type { Graph, LayerSummary } from '@espalier/core';
import { escapeHtml } from '../escape.ts';
import { formatCount, formatShape, plural } from '../format.ts';
import { ellipsis, textWidth } from '../svg.ts';
import { color, colorRulesFor, fonts } from '../theme.ts';
import { type Box, boxesOf } from './boxes.ts';
import { type Layout, layoutOf, type Place } from './layout.ts';
import { type GroupMark, marksOf } from './marks.ts';

const [NAME, SMALL, LINE, PADDING, STRIPE] = [13, 11.5, 16, 9, 6];
/** Characters: more of a line is cut. */
const LONGEST = 34;
const MOST_REASON_LINES = 4;
/** Numbers of groups in one box. */
const MOST_BADGES = 3;

type Marks = ReadonlyMap<string, GroupMark>;

/** Draws how the layers of a model hang together, each in the colour of the group whose units it puts out. */
export function picture(graph: Graph, name: string): string {
  const marks = marksOf(graph);
  const boxes = boxesOf(graph);
  const texts = new Map(boxes.map((box) => [box, linesOf(box, marks)]));
  const width = Math.max(...[...texts.values()].flat().map(widthOf), 110);
  const layout = layoutOf(boxes, (box) => ({ width, height: heightOf(texts.get(box)!) }));
  const body = [
    ...layout.frames.map(frame),
    ...layout.edges.map((edge) => edgePath(edge, marks)),
    ...boxes.map((box) => boxGroup(box, layout.boxes.get(box)!, texts.get(box)!, marks)),
  ].join('\n');
  const label =
    `The ${plural(graph.layers.length, 'layer')} of ${name} from inputs to outputs, in the colours of their groups. ` +
    'The tables below say the same.';
  const style = `${colorRulesFor(body, '.e-graph')}.e-graph text{font-family:${fonts}}`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="e-graph" width="${layout.width}" height="${layout.height}" ` +
    `viewBox="${layout.left} 0 ${layout.width} ${layout.height}" role="img" aria-label="${escapeHtml(label)}">` +
    `<style>${style}</style>${body}</svg>`
  );
}

/** A line of text in a box. */
interface Line {
  readonly text: string;
  readonly strong?: boolean;
  /** To the right of it. */
  readonly badges?: readonly Badge[];
}

/** The number of a group, in its colour. */
interface Badge {
  readonly text: string;
  readonly color: string;
}

function linesOf(box: Box, marks: Marks): Line[] {
  const { layers, reads } = box;
  const [first, ...others] = layers;
  const on = marksOn(box, marks);
  const badges = badgesOf(on);
  const [shape, last] = [formatShape(first.outputShape), formatShape(layers.at(-1)!.outputShape)];
  const kinds = others.map(({ className }) => className).join(', ');
  const makes = ({ group }: GroupMark): boolean => layers.some(({ name }) => group.producers.includes(name));
  const reasons = new Set(on.filter(makes).flatMap(({ group: { reason } }) => reason ?? []));
  const length = LONGEST - badges.map(({ text }) => text).join(' ').length;
  return [
    { text: ellipsis(first.name.split('/').at(-1)!, length), strong: true, badges },
    { text: ellipsis(`${first.className} ${shape}`, LONGEST) },
    ...wrapped(kinds && `+ ${kinds}${shape === last ? '' : ` to ${last}`}`, 2),
    ...wrapped(reads.includes(box) ? 'reads itself, too' : '', 1),
    ...[...reasons].flatMap((reason) => wrapped(`stays: ${reason}`, MOST_REASON_LINES)),
  ];
}

/** The numbers of the groups that may go. */
function badgesOf(on: readonly GroupMark[]): Badge[] {
  const free = on.flatMap(({ number, color }) =>
    number === undefined ? [] : [{ text: String(number), color }],
  );
  if (free.length <= MOST_BADGES) return free;
  const more = { text: `+${free.length - MOST_BADGES}`, color: color('muted') };
  return [...free.slice(0, MOST_BADGES), more];
}

/** Text in at most so many lines; what is too long is cut. */
function wrapped(text: string, most: number): Line[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter(Boolean)) {
    const line = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && line.length <= LONGEST) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  const cut = lines.slice(0, most);
  if (lines.length > most) cut.push(`${cut.pop()} …`);
  return cut.map((line) => ({ text: ellipsis(line, LONGEST) }));
}

const widthOf = ({ text, strong, badges = [] }: Line): number =>
  textWidth(text, strong ? NAME : SMALL) * 0.96 +
  badges.reduce((sum, badge) => sum + textWidth(badge.text, NAME) + 6, badges.length > 0 ? 12 : 0) +
  2 * PADDING +
  STRIPE;

const heightOf = (lines: readonly Line[]): number => lines.length * LINE + 2 * PADDING;

/** The groups whose units a box puts out. */
const marksOn = ({ layers }: Box, marks: Marks): GroupMark[] =>
  layers[0].groups.flatMap((id) => marks.get(id) ?? []);

function boxGroup(box: Box, at: Place, lines: readonly Line[], marks: Marks): string {
  const { x, y, height } = at;
  const on = marksOn(box, marks);
  const part = height / on.length;
  const stripes = on.map((mark, i) =>
    rect({ x, y: y + i * part, width: STRIPE, height: part }, `fill="${mark.color}"`),
  );
  const only = on.length === 1 ? on[0] : undefined;
  const tint = only
    ? rect(at, `rx="3" fill="${only.color}" opacity="${only.number === undefined ? 0.16 : 0.1}"`)
    : '';
  return [
    `<g><title>${escapeHtml(box.layers.map((layer) => tip(layer, marks)).join('\n'))}</title>`,
    rect(at, `rx="3" fill="${color('card')}"`),
    ...[tint, ...stripes, rect(at, `rx="3" fill="none" stroke="${only?.color ?? color('muted')}"`)],
    ...lines.map((line, i) => lineText(line, { ...at, y: y + PADDING + (i + 0.75) * LINE })),
    '</g>',
  ].join('');
}

function lineText({ text, strong, badges = [] }: Line, { x, y, width }: Place): string {
  const font = strong
    ? `font-size="${NAME}" font-weight="600" fill="${color('ink')}"`
    : `font-size="${SMALL}" fill="${color('muted')}"`;
  const left = `<text x="${round(x + STRIPE + PADDING)}" y="${round(y)}" ${font}>${escapeHtml(text)}</text>`;
  if (badges.length === 0) return left;
  const numbers = badges.map(
    (badge, i) => `<tspan${i > 0 ? ' dx="6"' : ''} fill="${badge.color}">${badge.text}</tspan>`,
  );
  const place = `x="${round(x + width - PADDING)}" y="${round(y)}" text-anchor="end"`;
  return `${left}<text ${place} font-size="${NAME}" font-weight="600">${numbers.join('')}</text>`;
}

const tip = ({ name, className, outputShape, params, macs, groups }: LayerSummary, marks: Marks): string => {
  const whose = groups.map((id) => {
    const { group, number } = marks.get(id)!;
    return number === undefined
      ? `${id} stays: ${group.reason}`
      : `group ${number}, ${id}: ${plural(group.size, 'unit')}`;
  });
  const cost =
    params > 0 || macs > 0 ? [`${formatCount(params)} parameters, ${formatCount(macs)} multiply-adds`] : [];
  return [`${name}: ${className} ${formatShape(outputShape)}`, ...cost, ...whose].join('; ');
};

function edgePath({ from, points }: Layout['edges'][number], marks: Marks): string {
  const on = marksOn(from, marks);
  const stroke = on.length === 1 ? on[0]!.color : color('muted');
  const [start, ...rest] = points.map(({ x, y }) => [round(x), round(y)] as const);
  // through the middles between the points in between, so that corners are round
  const curve = rest.slice(0, -1).map(([x, y], i) => {
    const [nextX, nextY] = rest[i + 1]!;
    return i === rest.length - 2
      ? `Q${x} ${y} ${nextX} ${nextY}`
      : `Q${x} ${y} ${round((x + nextX) / 2)} ${round((y + nextY) / 2)}`;
  });
  const [x, y] = rest.at(-1)!;
  return (
    `<path d="M${start!.join(' ')}${curve.join('') || `L${x} ${y}`}" fill="none" stroke="${stroke}" stroke-width="1.6"/>` +
    `<path d="M${x - 4} ${y - 6}L${x} ${y}L${x + 4} ${y - 6}" fill="none" stroke="${stroke}" stroke-width="1.6"/>`
  );
}

function frame({ name, x, y, width, height }: Layout['frames'][number]): string {
  const text = ellipsis(name.split('/').at(-1)!, LONGEST);
  const at = { x, y, width, height };
  const behind = { x: x + 10, y: y - 8, width: textWidth(text, SMALL) + 10, height: 16 };
  return (
    rect(at, `rx="6" fill="none" stroke="${color('muted')}" stroke-dasharray="4 3"`) +
    rect(behind, `fill="${color('paper')}"`) +
    `<text x="${round(x + 15)}" y="${round(y + 4)}" font-size="${SMALL}" font-weight="600" fill="${color('muted')}">${escapeHtml(text)}</text>`
  );
}

const rect = ({ x, y, width, height }: Place, attributes: string): string =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" ${attributes}/>`;

const round = (value: number): number => Math.round(value * 10) / 10;
