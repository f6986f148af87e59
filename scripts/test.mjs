// `npm test`: everything that must hold, on a fresh clone too. Arguments go to vitest: `npm test -- packages/core`.
import { spawnSync } from 'node:child_process';
import { build, install, root, run } from './setup.mjs';

install();
build();
const only = process.argv.slice(2);
if (only.length === 0) {
  run('npx', ['biome', 'check', '.']);
  run('npx', ['tsc', '--noEmit']);
}
run('npx', ['vitest', 'run', ...only]);
if (only.length === 0) {
  testNative();
  run('node', ['scripts/check-packages.mjs']);
}

/** What no engine should change, once more on the native one where it is there. */
function testNative() {
  const { status } = spawnSync(process.execPath, ['scripts/native-check.mjs'], { cwd: root });
  if (status !== 0) {
    console.log('\nThe native engine is not here, so nothing was tested on it; to have it: npm run native\n');
    return;
  }
  const suites = ['packages/core', 'packages/pruner-', 'packages/trainer'];
  run('npx', ['vitest', 'run', ...suites, '--tags-filter=!slow'], {
    env: { ESPALIER_TEST_ENGINE: 'tensorflow', TF_CPP_MIN_LOG_LEVEL: '2' },
  });
}
