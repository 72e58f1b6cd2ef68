import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openGraphProcess } from "#server/engines/index.ts";

test("a graph that cannot be read, or is not there, will not be tomorrow either", async () => {
  const folder = await mkdtemp(join(tmpdir(), "parse3d-graph-"));
  await writeFile(join(folder, "damaged.onnx"), "no graph");
  await using graphs = openGraphProcess();
  for (const file of ["damaged.onnx", "missing.onnx"])
    await expect(graphs.run(join(folder, file), {})).rejects.toMatchObject({
      name: "ModelUnavailableError",
      retryable: false,
    });
  await rm(folder, { recursive: true });
});
