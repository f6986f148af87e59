/** A colour by its role; `s1` to `s6` are the series of charts. */
export type Token =
  | 'paper'
  | 'card'
  | 'ink'
  | 'muted'
  | 'line'
  | 'track'
  | 'accent'
  | `s${1 | 2 | 3 | 4 | 5 | 6}`;

/** The colours of pages and charts, each as `[light, dark]`. */
const palette: Readonly<Record<Token, readonly [light: string, dark: string]>> = {
  paper: ['#fbfaf7', '#131715'],
  card: ['#ffffff', '#1a1f1d'],
  ink: ['#1d2321', '#e8ece9'],
  muted: ['#59635e', '#9ea9a3'],
  line: ['#e4e2da', '#2d3431'],
  track: ['#dcdfd6', '#3a433e'],
  accent: ['#1b6a49', '#6fcb9f'],
  // Series: told apart by lightness as well as by hue, and by marker and dash, for colour-blind readers.
  s1: ['#1d5fb8', '#79b0f7'],
  s2: ['#c9540c', '#f19a62'],
  s3: ['#0d8a6a', '#52cba8'],
  s4: ['#8a2f78', '#e395d0'],
  s5: ['#9a7800', '#dcc05a'],
  s6: ['#4a4f57', '#b4bcc6'],
};

const tokens = Object.keys(palette) as Token[];

/** The roles that a chart's series take in turn. */
export const seriesTokens: readonly Token[] = tokens.filter((token) => /^s\d$/.test(token));

/** The CSS reference to a colour, for style sheets and SVG attributes alike. */
export const color = (token: Token): string => `var(--e-${token})`;

/** Declares the colours for `selector`, dark ones on dark screens; paper is always light. */
export const colorRules = (selector: string, used: readonly Token[] = tokens): string => {
  const declare = (side: 0 | 1): string =>
    `${selector}{${used.map((token) => `--e-${token}:${palette[token][side]}`).join(';')}}`;
  return `${declare(0)}@media screen and (prefers-color-scheme:dark){${declare(1)}}`;
};

/** Only the colours that `svg` refers to. */
export const colorRulesFor = (svg: string, selector: string): string =>
  colorRules(
    selector,
    tokens.filter((token) => svg.includes(color(token))),
  );

/** The fonts that the reader's system already has: a report never fetches anything. */
export const fonts =
  'ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,sans-serif';
