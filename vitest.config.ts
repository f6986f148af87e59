import { defineConfig, type ViteUserConfig } from 'vitest/config';

const conditions = ['@espalier/source'];
const engine = process.env.ESPALIER_TEST_ENGINE;

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: engine ? ['scripts/test-engine.ts'] : [],
    // what is in the cache of this machine changes no test
    env: engine ? {} : { ESPALIER_NATIVE_DIR: 'none' },
    tags: [
      {
        name: 'slow',
        description: 'Trains real networks; --tags-filter=!slow leaves these out.',
        timeout: 600_000,
      },
    ],
  },
});

export default config;
