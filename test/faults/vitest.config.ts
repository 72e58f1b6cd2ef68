import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "../..");

/** `npm run test:faults`: processes are killed, archives cut off and disks filled, one after the other. Takes minutes. */
export default defineConfig({
  root,
  resolve: { alias: { "#server": join(root, "server") } },
  test: {
    name: "faults",
    include: ["test/faults/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
