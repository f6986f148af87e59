import { Graph, layout } from '@dagrejs/dagre';
import type { Box } from './boxes.ts';

/** A rectangle in pixels; x and y are those of its upper left corner. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where everything stands. */
export interface Layout {
  /** The least x; the least y is 0. */
  readonly left: number;
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<Box, Place>;
  /** Around the layers of an inner model, the outermost first. */
  readonly frames: readonly (Place & { readonly name: string })[];
  readonly edges: readonly { readonly from: Box; readonly to: Box; readonly points: readonly Point[] }[];
}

type Point = Readonly<Record<'x' | 'y', number>>;

/** Left and right of all. */
const MARGIN = 10;
/** How near to a corner of a box an arrow may come. */
const CORNER = 16;

/** Places boxes from the top down, so that few edges cross. */
export function layoutOf(
  boxes: readonly Box[],
  sizeOf: (box: Box) => Pick<Place, 'width' | 'height'>,
): Layout {
  const graph = new Graph<object, Place, { readonly points: readonly Point[] }>({ compound: true });
  graph.setGraph({ ranksep: 30, nodesep: 24, edgesep: 14, marginx: MARGIN, marginy: 12 });
  const keys = new Map(boxes.map((box, i) => [box, `box ${i}`]));
  const frames = [...new Set(boxes.flatMap(({ around }) => around))].sort();
  for (const name of frames) graph.setNode(`frame ${name}`, {} as Place);
  for (const name of frames) {
    const outer = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    if (outer) graph.setParent(`frame ${name}`, `frame ${outer}`);
  }
  for (const [box, key] of keys) {
    graph.setNode(key, { ...sizeOf(box), x: 0, y: 0 });
    if (box.around.length > 0) graph.setParent(key, `frame ${box.around.at(-1)}`);
  }
  for (const [box, key] of keys) {
    for (const from of others(box)) graph.setEdge(keys.get(from)!, key, { points: [] });
  }
  layout(graph);

  const placeOf = (key: string): Place => {
    const { x, y, width, height } = graph.node(key);
    return { x: x - width / 2, y: y - height / 2, width, height };
  };
  const places = new Map([...keys].map(([box, key]) => [box, placeOf(key)]));
  const edges = boxes.flatMap((to) =>
    others(to).map((from) => {
      const { points } = graph.edge(keys.get(from)!, keys.get(to)!);
      return { from, to, points: fromBelowToTop(points, places.get(from)!, places.get(to)!) };
    }),
  );
  const { width = 0, height = 0 } = graph.graph() as Partial<Place>;
  // dagre's own width is that of the boxes: an arrow past many of them may go round outside
  let [left, right] = [0, width];
  for (const { x } of edges.flatMap(({ points }) => points)) {
    left = Math.min(left, x - MARGIN);
    right = Math.max(right, x + MARGIN);
  }
  return {
    ...{ left: Math.floor(left), width: Math.ceil(right) - Math.floor(left), height: Math.ceil(height) },
    boxes: places,
    frames: frames.map((name) => ({ name, ...placeOf(`frame ${name}`) })),
    edges,
  };
}

const others = (box: Box): Box[] => box.reads.filter((from) => from !== box);

/** Arrows leave boxes at the bottom and enter them from above; dagre takes the nearest side. */
function fromBelowToTop(points: readonly Point[], from: Place, to: Place): Point[] {
  const between = points.slice(1, -1);
  const within = ({ x }: Point, box: Place): number =>
    Math.min(Math.max(x, box.x + CORNER), box.x + box.width - CORNER);
  return [
    { x: within(between[0]!, from), y: from.y + from.height },
    ...between,
    { x: within(between.at(-1)!, to), y: to.y },
  ];
}
