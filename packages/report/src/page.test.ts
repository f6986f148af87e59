import { describe, expect, it } from 'vitest';
import { htmlTable } from './html.ts';
import { renderPage } from './page.ts';

describe('htmlTable', () => {
  it('has a caption and headings, and formats numbers', () => {
    const html = htmlTable({
      caption: 'Angle < 60',
      columns: [{ name: 'Case' }, { name: 'Ours', numeric: true, strong: true }],
      rows: [
        ['net1', 12345],
        ['net2', 0.123456],
        ['net3', null],
        ['<i>', { html: '<b>ready</b>' }],
      ],
    });
    expect(html).toContain('<caption>Angle &lt; 60</caption>');
    expect(html).toContain('<th scope="col" class="num strong">Ours</th>');
    expect(html).toContain('<th scope="row">net1</th><td class="num strong">12,345</td>');
    expect(html).toContain('>0.1235</td>');
    expect(html).toContain('<span class="none">–</span>');
    expect(html).toContain('<th scope="row">&lt;i&gt;</th><td class="num strong"><b>ready</b></td>');
  });
});

describe('a column with digits', () => {
  it('writes its numbers with as many decimals', () => {
    const columns = [{ name: 'Case' }, { name: 'Accuracy', numeric: true, digits: 2 }];
    expect(htmlTable({ caption: 'T', columns, rows: [['net1', 96]] })).toContain('>96.00</td>');
  });
});

describe('renderPage', () => {
  it('lays out every kind of block, given as data or ready made', () => {
    const table = { caption: 'T', columns: [{ name: 'A' }], rows: [['cell']] };
    const line = {
      title: 'Line',
      x: { name: 'x' },
      y: { name: 'y' },
      series: [{ name: 's', points: [[1, 2]] as const }],
    };
    const html = renderPage({
      title: 'Benchmark & co',
      intro: 'What <we> measured.',
      sections: [
        { heading: 'One', html: '<p id="own">x</p>' },
        { heading: 'Two', intro: 'Why.', table },
        { heading: 'Three', table: '<table></table>' },
        { heading: 'Four', chart: line },
        { heading: 'Five', chart: '<svg id="mine"></svg>' },
        { heading: 'Six', blocks: [{ text: 'a < b' }, { table }] },
      ],
    });
    expect(html).toContain('<title>Benchmark &amp; co</title>');
    expect(html).toContain('What &lt;we&gt; measured.');
    expect(html).toContain('<p id="own">x</p>');
    expect(html).toContain('<figure><svg id="mine"></svg></figure>');
    expect(html).toContain('<figcaption>Line</figcaption>');
    expect(html).toContain('<p>a &lt; b</p>');
    expect([...html.matchAll(/<h2 /g)]).toHaveLength(6);
    expect([...html.matchAll(/<caption>T</g)]).toHaveLength(2);
    // Once for wide and once for narrow screens.
    expect([...html.matchAll(/aria-label="Line\. /g)]).toHaveLength(2);
  });

  it('links to its sections once there are enough of them', () => {
    const page = (count: number): string =>
      renderPage({
        title: 'T',
        sections: Array.from({ length: count }, () => ({ heading: 'H', text: 't' })),
      });
    expect(page(2)).not.toContain('<nav');
    expect(page(3)).toContain('<a href="#section-3">H</a>');
  });
});
