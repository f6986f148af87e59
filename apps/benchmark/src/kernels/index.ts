import { type EngineName, findEngines } from '@espalier/engine';
import { layerTable } from '@espalier/engine/testing';
import { type Column, htmlTable, type Page, terminalTable } from '@espalier/report';
import { type Benchmark, environmentOf, metaOf, type Result, type Row } from '../benchmark.ts';
import { workerPool } from '../worker-pool.ts';
import { type Job, relativeError, type Subject, type Trial } from './measure.ts';

/** Of the gradients against central differences, which are no better in single precision. */
const MOST_ERROR = 1e-2;
/** Of the output and the gradients against the reference engine. */
const MOST_DISTANCE = 1e-5;

const REFERENCE = 'cpu';

const subjectNames: Readonly<Record<Subject, string>> = {
  cpu: 'cpu, the reference',
  wasm: 'wasm, Espalier',
  tensorflow: 'tfjs-node',
  'wasm-as-shipped': 'wasm as shipped',
};

export const kernels: Benchmark = {
  name: 'kernels',
  description: 'every layer kind on every engine: one training step against finite differences and cpu',

  async run(options) {
    const found = (await findEngines()).filter(({ available }) => available).map(({ name }) => name);
    const wanted = (name: EngineName): boolean =>
      name === REFERENCE || options.engine === 'auto' || options.engine === name;
    const shipped: Subject[] = wanted('wasm') ? ['wasm-as-shipped'] : [];
    const subjects = (Object.keys(subjectNames) as Subject[]).filter((subject) =>
      [...found.filter(wanted), ...shipped].includes(subject),
    );
    const pool = workerPool(this.name, options.workers);
    try {
      const columns = await Promise.all(
        subjects.map(async (subject) => {
          const job: Job = { subject, quick: options.quick };
          const trials = (await pool.run(job)) as Trial[];
          options.log(`${subjectNames[subject]}: ${trials.length} layers tried`);
          return [subject, trials] as const;
        }),
      );
      const rows = rowsOf(new Map(columns));
      const environment = { ...(await environmentOf(options)), engine: 'all of them' };
      return { name: this.name, environment, rows };
    } finally {
      await pool.destroy();
    }
  },

  terminal(result) {
    const { columns, rows } = agreementTable(result);
    const failures = notesOf(result).map(([name, note]) => `  ${name}: ${note}`);
    return [
      summaryOf(result).join('\n'),
      `Worst relative error of the gradients against central differences; last, wasm against cpu\n\n${terminalTable({ columns, rows, width: 120 })}`,
      `What fails, and where the reference is wrong\n\n${failures.join('\n')}`,
    ].join('\n\n');
  },

  page(result): Page {
    return {
      title: 'One step of training, layer by layer, engine by engine',
      intro: summaryOf(result).join(' '),
      meta: metaOf(result.environment),
      sections: [
        {
          heading: 'Gradients against central differences',
          intro:
            `The worst relative error over all inputs and weights; above ${MOST_ERROR} the gradient is wrong. The last column ` +
            `is the distance of output and gradients between Espalier’s wasm and cpu, where cpu is right.`,
          table: htmlTable({ caption: 'Worst error per layer and engine', ...agreementTable(result) }),
        },
        {
          heading: 'What fails, and where the reference is wrong',
          intro: 'TensorFlow.js 4.22 itself, but for what is said to be Espalier’s.',
          table: htmlTable({
            caption: 'Failures',
            columns: [{ name: 'Layer' }, { name: 'What happens' }],
            rows: notesOf(result),
          }),
        },
      ],
    };
  },
};

/** Rows of every layer on every engine, and the count of right ones per engine. */
export function rowsOf(columns: ReadonlyMap<Subject, readonly Trial[]>): Row[] {
  const reference = columns.get(REFERENCE) ?? [];
  return [...columns].flatMap(([subject, trials]) => {
    const ours = subject === 'wasm';
    const known = trials.filter(({ upstream }) => !upstream);
    const right = known.filter(({ result }) => isRight(result)).length;
    return [
      {
        ...{ case: `all/${subject}`, metric: 'right', value: right },
        ...(ours && { target: known.length, meets: right === known.length }),
        note: `of ${known.length} layers`,
      },
      ...trials.flatMap((trial, i) => rowsOfTrial(subject, trial, reference[i]?.result)),
    ];
  });
}

function rowsOfTrial(
  subject: Subject,
  { name, upstream, result }: Trial,
  reference?: Trial['result'],
): Row[] {
  const ours = subject === 'wasm';
  const at = `${slug(name)}/${subject}`;
  if (typeof result === 'string' || !Number.isFinite(result.differences)) {
    const note = typeof result === 'string' ? result : 'a gradient is not a number';
    return [
      { case: at, metric: 'failed', value: 1, ...(ours && !upstream && { target: 0, meets: false }), note },
    ];
  }
  const { differences } = result;
  const wrong = layerTable[name]?.cpuIsWrong;
  const error: Row = {
    ...{ case: at, metric: 'error', value: differences },
    ...(ours && { target: MOST_ERROR, meets: isRight(result) }),
    ...(subject === REFERENCE && wrong !== undefined && { note: `wrong: ${wrong}` }),
  };
  if (subject === REFERENCE || wrong !== undefined) return [error];
  if (reference === undefined || !isRight(reference) || typeof reference === 'string') return [error];
  const distance = Math.max(
    relativeError(result.output, reference.output),
    ...result.gradients.map((gradient, i) => relativeError(gradient, reference.gradients[i]!)),
  );
  if (!Number.isFinite(distance)) return [error];
  return [
    error,
    {
      ...{ case: at, metric: 'distance', value: distance },
      ...(ours && { target: MOST_DISTANCE, meets: distance <= MOST_DISTANCE }),
    },
  ];
}

const isRight = (result: Trial['result']): boolean =>
  typeof result !== 'string' && result.differences <= MOST_ERROR;

const slug = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');

const subjectsOf = ({ rows }: Result): Subject[] =>
  rows.filter(({ case: name }) => name.startsWith('all/')).map(({ case: name }) => name.slice(4) as Subject);

function summaryOf(result: Result): string[] {
  return subjectsOf(result).map((subject) => {
    const { value, note } = result.rows.find((row) => row.case === `all/${subject}`)!;
    return `${subjectNames[subject]}: ${value} ${note} train rightly.`;
  });
}

function agreementTable(result: Result): { columns: Column[]; rows: (string | number)[][] } {
  const subjects = subjectsOf(result);
  const find = (name: string, metric: string): Row | undefined =>
    result.rows.find((row) => row.case === name && row.metric === metric);
  const cell = (at: string): string => {
    const error = find(at, 'error')?.value;
    if (error === undefined) return 'fails';
    return error > MOST_ERROR ? `${error.toPrecision(2)} wrong` : error.toExponential(0);
  };
  const names = new Set(
    result.rows
      .filter(({ metric }) => metric !== 'right')
      .map(({ case: at }) => at.slice(0, at.lastIndexOf('/'))),
  );
  return {
    columns: [
      { name: 'Layer' },
      ...subjects.map((subject) => ({
        name: subjectNames[subject],
        numeric: true,
        strong: subject === 'wasm',
      })),
      { name: 'wasm to cpu', numeric: true },
    ],
    rows: [...names].map((name) => [
      name.replaceAll('-', ' '),
      ...subjects.map((subject) => cell(`${name}/${subject}`)),
      find(`${name}/wasm`, 'distance')?.value.toExponential(0) ?? '–',
    ]),
  };
}

/** Every failure and every wrong reference, with its reason; what all engines have in common once. */
function notesOf({ rows }: Result): [string, string][] {
  const noted = rows.filter(({ metric, note }) => note !== undefined && metric !== 'right');
  const byReason = new Map<string, string[]>();
  for (const { case: at, note } of noted) {
    const cut = at.lastIndexOf('/');
    const key = `${at.slice(0, cut).replaceAll('-', ' ')}\n${note}`;
    byReason.set(key, [...(byReason.get(key) ?? []), at.slice(cut + 1)]);
  }
  return [...byReason].map(([key, subjects]) => {
    const [name, note] = key.split('\n') as [string, string];
    return [name, `${subjects.join(', ')}: ${note}`];
  });
}
