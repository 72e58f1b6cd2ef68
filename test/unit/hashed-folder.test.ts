import { mkdtempDisposable, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";

const links = vi.hoisted(() => ({ refusedWith: undefined as string | undefined }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return {
    ...real,
    link: async (from: string, to: string) => {
      if (links.refusedWith) throw Object.assign(new Error("no link"), { code: links.refusedWith });
      await real.link(from, to);
    },
  };
});

const { keepFile } = await import("../../server/hashed-folder.ts");

describe.each([
  ["that knows links", undefined],
  ["that knows none", "EPERM"],
  ["that has never heard of them", "EOPNOTSUPP"],
])("on a share %s", (_, refusedWith) => {
  test("what is kept first stays, whoever comes later, and nothing lies beside it", async () => {
    links.refusedWith = refusedWith;
    await using folder = await mkdtempDisposable(join(tmpdir(), "parse3d-keep-"));
    const path = join(folder.path, ".key");
    expect(await keepFile(path, "first")).toBe("first");
    expect(await keepFile(path, "second")).toBe("first");
    expect(await readFile(path, "utf8")).toBe("first");
    expect(await readdir(folder.path)).toEqual([".key"]);
  });
});

test("a share that is full is no share without links", async () => {
  links.refusedWith = "ENOSPC";
  await using folder = await mkdtempDisposable(join(tmpdir(), "parse3d-keep-"));
  await expect(keepFile(join(folder.path, ".key"), "first")).rejects.toMatchObject({ code: "ENOSPC" });
  expect(await readdir(folder.path)).toEqual([]);
});
