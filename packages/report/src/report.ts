import type { RunRecord } from '@espalier/trainer';
import { escapeHtml } from './escape.ts';
import { renderPage } from './page.ts';
import { sweepSection, trainingSection } from './sections/curves.ts';
import { environmentSection, formatTime, notesSection } from './sections/environment.ts';
import { confusionSection, evaluationsSection } from './sections/evaluations.ts';
import { costSection, tiles } from './sections/headline.ts';
import { layersSection } from './sections/layers.ts';
import { noiseSection } from './sections/noise.ts';
import { pruningsSection } from './sections/prunings.ts';
import { searchSection } from './sections/search.ts';
import { trialsSection } from './sections/trials.ts';
import { weightsSection } from './sections/weights.ts';
import { headline, type Summary, summarize } from './summary.ts';

/** Options of {@link renderHtml}. */
export interface HtmlOptions {
  /** Defaults to the run's own title. */
  readonly title?: string;
}

/** Renders a run as one self-contained HTML file. What the record doesn't hold is left out. */
export const renderHtml = (record: RunRecord, options: HtmlOptions = {}): string => {
  const summary = summarize(record);
  const { start } = summary;
  const meta =
    start && [start.dataset.name, start.engine, `seed ${start.seed}`, formatTime(start.time)].join(' · ');
  return renderPage({
    title: options.title ?? (start?.title || 'Run report'),
    ...(meta && { meta }),
    // A pair of numbers stays on one line.
    intro: headline(summary).replaceAll(' → ', '\u00a0→\u00a0'),
    lead: { html: `${notice(summary)}${tiles(summary).html}` },
    sections: [
      ...costSection(summary),
      ...searchSection(summary),
      ...trialsSection(summary),
      ...weightsSection(summary),
      ...sweepSection(summary),
      ...layersSection(summary),
      ...pruningsSection(summary),
      ...trainingSection(summary),
      ...evaluationsSection(summary),
      ...noiseSection(summary),
      ...confusionSection(summary),
      ...notesSection(summary),
      ...environmentSection(summary),
    ],
  });
};

const notice = ({ start, end }: Summary): string => {
  if (end?.stopped !== undefined) return `<p class="notice">Stopped early: ${escapeHtml(end.stopped)}</p>`;
  const unfinished = 'The record has no end: the run is still going, or was cut short.';
  return start !== undefined && end === undefined ? `<p class="notice">${unfinished}</p>` : '';
};
