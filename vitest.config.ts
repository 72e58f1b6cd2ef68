import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** `npm test` runs every project; `npm run check` the ones that need no other program. */
export default defineConfig({
  // ohif-extension/ is a package of its own, in which Node's subpath imports of the root do not hold.
  resolve: {
    alias: {
      "#server": join(import.meta.dirname, "server"),
      "#island": join(import.meta.dirname, "ohif-extension/src/ohif/own-react.tsx"),
    },
  },
  test: {
    globalSetup: ["test/fixtures/announce-data.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Much of what a test does is to wait for another program: two at a time, even where there are but two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/unit/**/*.test.ts", "ohif-extension/test/**/*.test.{ts,tsx}"] },
      },
      { extends: true, test: { name: "property", include: ["test/property/**/*.test.ts"] } },
      { extends: true, test: { name: "golden", include: ["test/golden/**/*.test.ts"], testTimeout: 300_000 } },
      {
        extends: true,
        test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], testTimeout: 120_000 },
      },
      {
        extends: true,
        test: { name: "integration", include: ["test/integration/**/*.test.ts"], testTimeout: 300_000 },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // One browser at a time: OHIF alone keeps two cores busy.
          fileParallelism: false,
        },
      },
    ],
  },
});
