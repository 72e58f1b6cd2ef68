import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KeptAnswer } from "#server/domain/index.ts";
import { openProbabilityFiles } from "#server/probabilities/index.ts";
import { densityCard } from "../fixtures/test-server.ts";

let folder: string;
let now: Date;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "p3d-inter-"));
  now = new Date("2026-01-01T00:00:00Z");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (limits: { readonly maxBytes?: number; readonly keepMs?: number } = {}) =>
  openProbabilityFiles({ folder, maxBytes: 1e6, keepMs: 1000, now: () => now, ...limits });

function answer(fill: (n: number) => number, voxels = 24): KeptAnswer {
  return {
    size: [2, 3, voxels / 6],
    merge: "exclusive",
    threshold: 0.5,
    card: densityCard,
    prompts: [
      {
        prompt: { id: "p1", text: "left kidney" },
        score: 0.9,
        tracking: { id: "left kidney", uid: "2.25.1" },
        values: Uint8Array.from({ length: voxels }, (_, n) => fill(n)),
      },
    ],
  };
}

test("what is kept comes back to the byte, also to another opener, and its file is the gzipped values", async () => {
  const kept = answer((n) => n * 10);
  const notice = await open().keep("job-1", kept);
  expect(notice).toEqual({ prompts: ["p1"], threshold: 0.5, until: "2026-01-01T00:00:01.000Z" });
  expect(await open().read("job-1")).toEqual(kept);
  const file = await open().find("job-1", "p1");
  expect(file).toMatchObject({ columns: 2, rows: 3, slices: 4, threshold: 0.5 });
  expect(new Uint8Array(gunzipSync(await readFile(file!.path)))).toEqual(kept.prompts[0]!.values);
  expect(await open().find("job-1", "p2")).toBeUndefined();
});

test("of a resampled series the file is that of the slices that viewers show, and what comes back that of the volume", async () => {
  // Two slices at 0.2 and 3.1 of the volume's four, each one pixel narrower and one to the right.
  const shownOn = {
    geometry: { size: [1, 3, 2] },
    corners: [
      [1, 0, 0.2],
      [1, 0, 3.1],
    ],
  } as const;
  const kept = { ...answer((n) => n * 10), shownOn };
  await open().keep("job-1", kept);
  expect(await open().read("job-1")).toEqual(kept);
  const file = await open().find("job-1", "p1");
  expect(file).toMatchObject({ columns: 1, rows: 3, slices: 2 });
  expect([...gunzipSync(await readFile(file!.path))]).toEqual([10, 30, 50, 190, 210, 230]);
});

test("no name of a file tells the job, and an odd id leads nowhere else", async () => {
  await open().keep(
    "../../escape",
    answer(() => 1),
  );
  const [name] = await readdir(folder);
  expect(name).toMatch(/^[0-9a-f]{32}$/);
});

test("after its time it is not there any more, and a sweep takes it from the disk", async () => {
  const files = open({ keepMs: 1000 });
  await files.keep(
    "job-1",
    answer(() => 1),
  );
  now = new Date(now.getTime() + 1001);
  expect(await files.notice("job-1")).toBeUndefined();
  expect(await files.read("job-1")).toBeUndefined();
  // Younger folders without an index may be being written.
  now = new Date(Date.now() + 4_000_000);
  await files.sweep();
  expect(await readdir(folder)).toEqual([]);
});

test("where there is too much, the newest stay", async () => {
  const noise = (n: number) => Math.imul(n + 1, 2_654_435_761) >>> 24;
  const files = open({ maxBytes: 45_000, keepMs: 1e9 });
  for (const id of ["a", "b", "c"]) {
    await files.keep(id, answer(noise, 60_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const left = await Promise.all(["a", "b", "c"].map((id) => files.notice(id)));
  expect(left[0]).toBeUndefined();
  expect(left[2]).toBeDefined();
});
