// Compiles the loops in this folder and writes them into src, where they are kept: whoever installs or tests needs no
// compiler. `npm run assembly --workspace packages/engine`
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('.', import.meta.url));
const target = new URL('../src/loops/compiled.ts', import.meta.url);

/**
 * The module's bytes in base64. It lives on the memory of tfjs-backend-wasm, so it has no data of its own; and it is
 * at most 4 KB, since some browsers compile no more at once on a page's own thread.
 */
export async function compile() {
  let bytes;
  const { error, stderr } = await asc.main(
    ['index.ts', '--baseDir', folder, '--outFile', 'loops.wasm', '-O3', '--enable', 'simd'].concat([
      '--runtime',
      'stub',
      '--noAssert',
      '--importMemory',
      '--noExportMemory',
    ]),
    {
      writeFile: (name, contents) => {
        if (name === 'loops.wasm') bytes = contents;
      },
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  return Buffer.from(bytes).toString('base64');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = (await compile()).match(/.{1,100}/g).map((line) => `  '${line}'`);
  const text = `/** What assembly/ compiles to, in base64: made by assembly/build.mjs. */\nexport const compiled: string =\n${lines.join(' +\n')};\n`;
  writeFileSync(target, text);
}
