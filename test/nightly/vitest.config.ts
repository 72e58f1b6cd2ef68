import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "../..");

/** The viewer's tests that every change runs, and those that take too long for that. */
export default defineConfig({
  root,
  resolve: { alias: { "#server": join(root, "server") } },
  test: {
    name: "nightly",
    include: ["test/e2e/ohif*.test.ts", "test/e2e/places.test.ts", "test/nightly/**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
