import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['test/**/*.test.{ts,tsx}'],
    setupFiles: ['test/setup.ts'],
    restoreMocks: true,
    // Lab's packages import pictures and styles, which node cannot read.
    server: { deps: { inline: [/@jupyterlab/, /@jupyter\//, /@rjsf/] } }
  }
});
