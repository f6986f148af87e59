import { writeFileSync } from 'node:fs';
import { it } from 'vitest';
import { sampleRecord } from '../test/sample.ts';
import { renderHtml } from './report.ts';

it('x', () => {
  writeFileSync('/tmp/r10.html', renderHtml(sampleRecord()));
  writeFileSync(
    '/tmp/r26.html',
    renderHtml(sampleRecord({ classes: 26, epochs: 80, prunings: [20, 30, 40, 50, 60] })),
  );
  writeFileSync('/tmp/r1.html', renderHtml(sampleRecord({ prunings: [20] })));
  writeFileSync('/tmp/r0.html', renderHtml(sampleRecord({ prunings: [] })));
});
