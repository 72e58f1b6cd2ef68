import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { closingLine, readTestTotals, succeeded } from "../../bin/test-report.ts";
import { MissingSystemPackagesError } from "../../server/demo/errors.ts";
import { type Host, thisHost } from "../../server/demo/host.ts";
import { demoFiles, ensureSystemPackages } from "../../server/demo/system-packages.ts";

const policyProgram = "/usr/sbin/policy-rc.d";

/** What each package puts on the machine, as far as anybody looks. */
const contents: Readonly<Record<string, string>> = {
  orthanc: "Orthanc",
  "orthanc-dicomweb": "/usr/{share/orthanc/plugins,lib/orthanc,local/share/orthanc/plugins}/libOrthancDicomWeb.so",
  "mricron-data": demoFiles.mrHead,
  "invesalius-examples": demoFiles.ctHead,
};

interface FakeHost extends Host {
  readonly commands: string[];
  readonly present: Set<string>;
  /** Whether services were withheld at each call of apt-get. */
  readonly withheld: boolean[];
}

function fakeHost({
  isRoot = true,
  present = ["apt-get"],
  answers = () => 0,
}: {
  readonly isRoot?: boolean;
  readonly present?: readonly string[];
  /** Exit code of a command; apt-get lays its packages down where it is 0. */
  readonly answers?: (command: string) => number;
} = {}): FakeHost {
  const there = new Set(present);
  const commands: string[] = [];
  const withheld: boolean[] = [];
  return {
    isRoot,
    commands,
    withheld,
    present: there,
    has: (name) => there.has(name),
    async run(command) {
      const line = command.join(" ");
      commands.push(line);
      const status = answers(line);
      if (line.includes("apt-get")) withheld.push(there.has(policyProgram));
      if (line.includes(" install ") && status === 0) {
        for (const word of command) if (contents[word]) there.add(contents[word]);
      }
      return status;
    },
    writeProgram: (path) => void there.add(path),
    remove: (path) => void there.delete(path),
  };
}

function ensure(host: Host, purposes: Parameters<typeof ensureSystemPackages>[0] = ["archive", "demo-studies"]) {
  const said: string[] = [];
  const { signal } = new AbortController();
  return ensureSystemPackages(purposes, { say: (line) => said.push(line), signal, host }).then(() => said);
}

describe("system packages", () => {
  test("as root on Debian the missing ones are installed after an update, and nothing is asked", async () => {
    const host = fakeHost({ present: ["apt-get", "Orthanc"] });
    const said = await ensure(host);
    expect(said).toEqual(["installing system packages: orthanc-dicomweb, mricron-data, invesalius-examples"]);
    expect(host.commands).toHaveLength(2);
    expect(host.commands[0]).toMatch(/DEBIAN_FRONTEND=noninteractive apt-get .*update$/);
    expect(host.commands[1]).toMatch(
      /install .*--no-install-recommends .* orthanc-dicomweb mricron-data invesalius-examples$/,
    );
  });

  test("where all are there, no program is run", async () => {
    const host = fakeHost({ present: Object.values(contents) });
    expect(await ensure(host)).toEqual([]);
    expect(host.commands).toEqual([]);
  });

  test("no service is started while packages are installed, and the policy that forbids it goes away", async () => {
    const host = fakeHost();
    await ensure(host);
    expect(host.withheld).toEqual([true, true]);
    expect(host.present.has(policyProgram)).toBe(false);
  });

  test("a machine's own policy on services stays", async () => {
    const host = fakeHost({ present: ["apt-get", policyProgram] });
    await ensure(host);
    expect(host.present.has(policyProgram)).toBe(true);
  });

  test("Debian's Orthanc service is switched off where this installed it, and left alone where it was there", async () => {
    const fresh = fakeHost({ present: ["apt-get", "/run/systemd/system"] });
    await ensure(fresh);
    expect(fresh.commands.slice(2)).toEqual(["update-rc.d orthanc disable", "systemctl stop orthanc"]);
    const used = fakeHost({ present: ["apt-get", "/run/systemd/system", "Orthanc"] });
    await ensure(used);
    expect(used.commands.filter((line) => !line.includes("apt-get"))).toEqual([]);
  });

  test("the policy goes away as well when the installation fails, and the message names what is missing", async () => {
    const host = fakeHost({ answers: (line) => (line.includes(" install ") ? 100 : 0) });
    const failure = await ensure(host, ["demo-studies"]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MissingSystemPackagesError);
    expect(failure).toMatchObject({
      packages: ["mricron-data", "invesalius-examples"],
      message: expect.stringContaining("exit code 100"),
    });
    expect(host.present.has(policyProgram)).toBe(false);
  });

  test("without root nothing is run: the message holds the exact command", async () => {
    const host = fakeHost({ isRoot: false });
    await expect(ensure(host)).rejects.toThrow(
      "sudo apt-get update && sudo apt-get install -y --no-install-recommends orthanc orthanc-dicomweb mricron-data invesalius-examples",
    );
    expect(host.commands).toEqual([]);
  });

  test("without apt-get the message says what is needed, and that another archive will do", async () => {
    const failure = ensure(fakeHost({ present: [] }), ["archive"]);
    await expect(failure).rejects.toThrow("This system has no apt-get");
    await expect(failure).rejects.toThrow("PARSE3D_DICOMWEB_URL");
  });

  test("without the demo's heads the message says where they come from, and what can be asked without them", async () => {
    for (const present of [[], ["apt-get"]]) {
      const failure = ensure(fakeHost({ present, isRoot: false }), ["demo-studies"]);
      await expect(failure).rejects.toThrow("mricron-data (the MR head), invesalius-examples (the CT head)");
      await expect(failure).rejects.toThrow("bin/parse3d segment SCAN.nii.gz");
      await expect(failure).rejects.not.toThrow("Instead of a local Orthanc");
    }
  });

  test("this machine is looked at by programs, paths and patterns", () => {
    expect(thisHost.has("sh")).toBe(true);
    expect(thisHost.has("no-such-program")).toBe(false);
    expect(thisHost.has("/etc/passwd")).toBe(true);
    expect(thisHost.has("/etc/pass*")).toBe(true);
    expect(thisHost.has("/{etc,nowhere}/passwd")).toBe(true);
    expect(thisHost.has("/etc/no-such-*")).toBe(false);
  });

  test("a program's exit code is told, and an abort ends it", async () => {
    const interrupt = new AbortController();
    expect(await thisHost.run(["sh", "-c", "exit 3"], interrupt)).toBe(3);
    const running = thisHost.run(["sleep", "60"], interrupt);
    interrupt.abort();
    expect(await running).toBe(128);
  });
});

describe("the closing line of a test run", () => {
  const totalsOf = (testResults: unknown) => {
    const folder = mkdtempSync(join(tmpdir(), "parse3d-report-"));
    try {
      writeFileSync(join(folder, "report.json"), JSON.stringify({ testResults }));
      return readTestTotals(join(folder, "report.json"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const file = (name: string, status: string, ...states: string[]) => ({
    name,
    status,
    assertionResults: states.map((state) => ({ status: state })),
  });

  test("counts what vitest reports, skipped tests by file", () => {
    const totals = totalsOf([
      file(join(import.meta.dirname, "a.test.ts"), "passed", "passed", "pending", "skipped"),
      file("b.test.ts", "failed", "failed", "passed"),
    ]);
    expect(closingLine(totals)).toBe("2 passed, 1 failed, 2 skipped");
    expect(totals.skippedFiles).toEqual([{ file: "test/unit/a.test.ts", skipped: 2 }]);
    expect(succeeded(totals)).toBe(false);
  });

  test("a file that broke before its first test is a failure", () => {
    expect(closingLine(totalsOf([file("a.test.ts", "failed"), file("b.test.ts", "passed", "passed")]))).toBe(
      "1 passed, 1 failed, 0 skipped",
    );
  });

  test("a run in which nothing ran, or all was skipped, has not succeeded", () => {
    expect(succeeded(totalsOf([]))).toBe(false);
    expect(succeeded(totalsOf([file("a.test.ts", "passed", "skipped")]))).toBe(false);
    expect(succeeded(totalsOf([file("a.test.ts", "passed", "passed")]))).toBe(true);
  });

  test("a run that left no report has not succeeded either", () => {
    expect(() => readTestTotals(join(tmpdir(), "no-such-folder", "report.json"))).toThrow("no test report");
  });
});
