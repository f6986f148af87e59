import { defineConfig, type ViteUserConfig } from 'vitest/config';

const conditions = ['@espalier/source'];

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
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
