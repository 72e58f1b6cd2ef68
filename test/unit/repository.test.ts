import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(read("package.json")) as LockedPackage & {
  readonly scripts: Readonly<Record<string, string>>;
};
const lock = JSON.parse(read("package-lock.json")) as { readonly packages: Readonly<Record<string, LockedPackage>> };
const locked = Object.entries(lock.packages);

/** Files that are in git, or would be with the next commit. */
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)) && statSync(join(root, file)).isFile());
const isText = (file: string) => !/\.(png|jpe?g|gz|dcm|nii|onnx|safetensors|bin)$/.test(file);

describe("package-lock.json", () => {
  test("names no host: any registry will do", () => {
    expect(locked.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(read("package-lock.json")).not.toMatch(/\bregistry\b/);
  });

  test("holds the hash of every package", () => {
    expect(locked.filter(([path, { integrity }]) => path !== "" && !integrity).map(([path]) => path)).toEqual([]);
  });

  test("holds every package that another one asks for, those of other platforms too, or npm ci refuses it", () => {
    const absent = locked.flatMap(([path, { dependencies, devDependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
        .filter((name) => !resolves(path, name))
        .map((name) => `${name}, for ${path || "the project"}`),
    );
    expect(absent).toEqual([]);
  });

  test("was written for this package.json", () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    expect(lock.packages[""]).toMatchObject({ dependencies, devDependencies, optionalDependencies });
  });
});

describe("package.json", () => {
  test("pins every dependency exactly", () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    const ranges = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    expect(ranges).toEqual([]);
  });

  test("has scripts whose programs exist, and that bring their own Node", () => {
    for (const [name, script] of Object.entries(manifest.scripts)) {
      const [program, file] = script.split(" ");
      expect(["bin/with-node24", "bin/parse3d"], name).toContain(program);
      expect(statSync(join(root, program!)).mode & 0o111, name).not.toBe(0);
      if (file?.endsWith(".ts")) expect(existsSync(join(root, file)), `${name}: ${file}`).toBe(true);
    }
  });
});

describe("the files in git", () => {
  test("name no path of the machine that they were written on, and no registry", () => {
    const forbidden = new RegExp(["/wor" + "k/", "/ro" + "ot/", "registry" + "\\.npmjs", "pypi\\." + "org"].join("|"));
    const offending = files.filter(isText).flatMap((file) =>
      read(file)
        .split("\n")
        .flatMap((line, n) => (forbidden.test(line) ? [`${file}:${n + 1}: ${line.trim().slice(0, 120)}`] : [])),
    );
    expect(offending).toEqual([]);
  });

  test("are small: no test data, weights or models among them, but the one network that is trained here", () => {
    const ownNetwork = "models/brain-t1/brain-t1.onnx";
    expect(statSync(join(root, ownNetwork)).size).toBeLessThan(8 << 20);
    const others = files.filter((file) => file !== ownNetwork);
    expect(others.filter((file) => statSync(join(root, file)).size > 2 << 20)).toEqual([]);
    expect(
      others.filter((file) => /\.(dcm|nii|nii\.gz|onnx|ckpt|inv3)$/.test(file) && !file.startsWith("test/golden/")),
    ).toEqual([]);
  });

  test("are all read by the checks: every TypeScript file lies in a folder that a tsconfig.json includes", () => {
    const include = ["", "ohif-extension/"].flatMap((folder) =>
      (JSON.parse(read(`${folder}tsconfig.json`)) as { include: string[] }).include.map((entry) => folder + entry),
    );
    const outside = files.filter(
      (file) => file.endsWith(".ts") && !include.some((entry) => file === entry || file.startsWith(`${entry}/`)),
    );
    expect(outside).toEqual([]);
  });
});

describe("the documentation", () => {
  const pages = files.filter((file) => file.endsWith(".md"));

  test("links to nothing that is not there", () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target]) => target!)
        .filter((target) => !existsSync(join(root, page, "..", target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test("lists every decision record", () => {
    const records = readdirSync(join(root, "docs/adr"));
    const architecture = read("docs/architecture.md");
    expect(records.length).toBeGreaterThan(0);
    expect(records.filter((record) => !architecture.includes(`adr/${record}`))).toEqual([]);
  });

  test("names only npm scripts that there are", () => {
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/`npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name!),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !(name in manifest.scripts))).toEqual([]);
  });

  test("opens with the two commands, and says that this is for research only", () => {
    const readme = read("README.md");
    expect(readme).toContain("npm run demo");
    expect(readme).toContain("npm test");
    expect(readme).toMatch(/research use only/i);
  });
});

/** Whether `name` can be found from the package at `path`, looking as Node does: in its own node_modules, then above. */
function resolves(path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1))) {
    if (lock.packages[`${from === "" ? "" : `${from}/`}node_modules/${name}`]) return true;
    if (from === "") return false;
  }
}
