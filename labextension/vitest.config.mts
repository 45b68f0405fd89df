import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['test/**/*.test.{ts,tsx}'],
    setupFiles: ['test/setup.ts'],
    restoreMocks: true,
    testTimeout: 60_000, // other work may keep the machine busy
    // Lab's packages import pictures and styles, which node cannot read.
    server: { deps: { inline: [/@jupyterlab/, /@jupyter\//, /@rjsf/] } }
  }
});
