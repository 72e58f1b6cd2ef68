import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

function blocks(language: string): string {
  const readme = readFileSync(join(root, "converters/README.md"), "utf8");
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text]) => text).join("");
}

test("the converters' README is a program that prints what it says", () => {
  const cache = join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "readme-"));
  try {
    const program = join(folder, "readme.ts");
    writeFileSync(program, blocks("ts"));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toBe(blocks("text"));
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
