import type { Dataset, Part } from '@espalier/datasets';
import type { Ui } from './ui.ts';

const SHADES = ' .:-=+*#%@';

/** The first row of each of the first few classes, as text. */
export function examplesText(dataset: Dataset, ui: Ui, count = 4): string {
  const { train, classes, inputShape } = dataset;
  const rows = classes
    .map((_, label) => train.labels.indexOf(label))
    .filter((row) => row >= 0)
    .slice(0, count);
  const names = rows.map((row) => classes[train.labels[row]!]!);
  if (inputShape.length !== 3) {
    return ui.table('Examples', {
      columns: [
        { name: 'class' },
        ...valuesOf(train, 0).map((_, i) => ({ name: `x${i}`, numeric: true, digits: 2 })),
      ],
      rows: rows.map((row, i) => [names[i]!, ...valuesOf(train, row)]),
    });
  }
  const [height, width, channels] = inputShape as [number, number, number];
  const pictures = rows.map((row) => picture(valuesOf(train, row), height, width, channels));
  const lines = pictures[0]!.map((_, y) =>
    pictures
      .map((lines) => lines[y]!)
      .join('  ')
      .trimEnd(),
  );
  return `${names
    .map((name) => name.padEnd(width))
    .join('  ')
    .trimEnd()}\n${lines.join('\n')}\n`;
}

const valuesOf = ({ x, rows }: Part, row: number): number[] => {
  const size = x.length / rows;
  return Array.from(x.subarray(row * size, (row + 1) * size));
};

/** Two rows of pixels a line, as characters are twice as high as wide. */
function picture(pixels: readonly number[], height: number, width: number, channels: number): string[] {
  const low = Math.min(...pixels);
  const range = Math.max(...pixels) - low || 1;
  const at = (y: number, x: number): number => ((pixels[(y * width + x) * channels] ?? low) - low) / range;
  return Array.from({ length: Math.ceil(height / 2) }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const shade = (at(2 * y, x) + at(2 * y + 1, x)) / 2;
      return SHADES[Math.round(shade * (SHADES.length - 1))]!;
    }).join(''),
  );
}
