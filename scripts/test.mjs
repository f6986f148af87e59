// `npm test`: everything that must hold, on a fresh clone too. Arguments go to vitest: `npm test -- packages/core`.
import { build, install, run } from './setup.mjs';

install();
build();
const only = process.argv.slice(2);
if (only.length === 0) {
  run('npx', ['biome', 'check', '.']);
  run('npx', ['tsc', '--noEmit']);
}
run('npx', ['vitest', 'run', ...only]);
if (only.length === 0) run('node', ['scripts/check-packages.mjs']);
