import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import * as React from "react";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Built, build } from "../build/build.ts";
import packageJson from "../package.json" with { type: "json" };

interface Extension {
  readonly id: string;
  getPanelModule(context: unknown): readonly { readonly name: string }[];
  getCommandsModule(context: unknown): { readonly definitions: Readonly<Record<string, unknown>> };
}

let folder: string;
let built: readonly Built[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-bundles-"));
  built = await build(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const textOf = (file: string) => readFile(join(folder, file), "utf8");
/** What a module asks its host for: bare names; there are no other files beside a bundle. */
const importsOf = (text: string) =>
  [...new Set([...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)].map(([, name]) => name))].sort();

/** As far as modules are asked for here. */
const context = { servicesManager: { services: {} }, extensionManager: { getModuleEntry: () => undefined } };

function expectExtension({ id, getPanelModule, getCommandsModule }: Extension): void {
  // OHIF's conventions: the id is the package's name, and each entry of a module has one.
  expect(id).toBe(packageJson.name);
  expect(getPanelModule(context).map(({ name }) => name)).toEqual(["parse3d"]);
  expect(Object.keys(getCommandsModule(context).definitions).sort()).toEqual([
    "parse3dCancel",
    "parse3dFocus",
    "parse3dRecognise",
    "parse3dSegment",
  ]);
}

describe("the bundles", () => {
  test("are the files that package.json names, and it is an OHIF extension's", () => {
    const named = Object.values(packageJson.exports).filter((path) => path.startsWith("./dist/"));
    expect(built.map(({ file }) => `./dist/${file}`).sort()).toEqual(named.sort());
    expect(packageJson.keywords).toEqual(expect.arrayContaining(["ohif-extension", "ohif-mode"]));
    expect(packageJson).not.toHaveProperty("dependencies");
  });

  test("for any ready-built OHIF bring all that they need, in at most 200 kB", async () => {
    expect(built.find(({ file }) => file === "runtime.js")?.bytes).toBeLessThanOrEqual(200_000);
    for (const file of ["runtime.js", "runtime-mode.js"]) expect(importsOf(await textOf(file))).toEqual([]);
    const { default: extension } = await import(join(folder, "runtime.js"));
    expectExtension(extension);
    const { default: mode } = await import(join(folder, "runtime-mode.js"));
    expect(mode).toMatchObject({ id: `${packageJson.name}/mode`, modeFactory: expect.any(Function) });
  });

  test("for an OHIF that is built with them ask for its React, and hold none of OHIF or cornerstone", async () => {
    const asked = importsOf(await textOf("index.js"));
    expect(asked).toEqual(["react", "react/jsx-runtime"]);
    expect(importsOf(await textOf("mode.js"))).toEqual([]);
    expect(await textOf("index.js")).not.toContain("react-dom");
  });

  test("for OHIF's descriptors set a global of the package's name, with the React that OHIF shares", async () => {
    // As a page's script sees it; React is all that OHIF puts there.
    const page: Record<string, unknown> = { react: React, console };
    page.globalThis = page;
    page.self = page;
    runInNewContext(await textOf("index.umd.js"), page);
    expectExtension(page[packageJson.name] as Extension);
  });
});
