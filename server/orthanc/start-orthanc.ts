import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { OrthancStartError } from "./errors.ts";
import { findOrthanc } from "./find-orthanc.ts";
import { freePort } from "./free-port.ts";
import { LogTail } from "./log-tail.ts";
import { orthancConfig } from "./orthanc-config.ts";

export interface OrthancOptions {
  /** Made where it is missing; keeps the images and the index from one start to the next. */
  readonly storageFolder: string;
  /** 0 or absent: any free one. */
  readonly httpPort?: number;
  /** Absent: no DICOM protocol, DICOMweb only. */
  readonly dicomPort?: number;
  /** More of Orthanc's own settings, like StableAge and LuaScripts. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly startTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** An Orthanc that belongs to us; disposing stops it, and nothing else, and waits until it is gone. */
export interface Orthanc extends AsyncDisposable {
  readonly pid: number;
  /** http://127.0.0.1:PORT */
  readonly baseUrl: string;
  readonly dicomwebUrl: string;
  /** Resolves when the process ends, for whatever reason. */
  readonly exited: Promise<void>;
}

type OrthancProcess = ChildProcessByStdio<null, Readable, Readable>;

const PORT_ATTEMPTS = 4;
const POLL_MS = 50;
const STOP_TIMEOUT_MS = 10_000;

/**
 * Starts an Orthanc with DICOMweb for this machine only, and waits until it answers.
 * @throws OrthancNotInstalledError, OrthancStartError with the last lines of its log, the signal's reason
 */
export async function startOrthanc(options: OrthancOptions): Promise<Orthanc> {
  const { executable, dicomwebPlugin } = findOrthanc();
  const storageFolder = resolve(options.storageFolder);
  await mkdir(storageFolder, { recursive: true, mode: 0o700 });
  const configPath = join(storageFolder, "orthanc.json");
  const pidPath = join(storageFolder, "orthanc.pid");
  await refuseHeldFolder(pidPath);

  for (let attempt = 1; ; attempt++) {
    // Tells our process from another that took the port in between.
    const name = `Parse3D-${randomUUID().slice(0, 8)}`;
    const httpPort = options.httpPort || (await freePort());
    const { dicomPort, settings } = options;
    const config = orthancConfig({ name, storageFolder, httpPort, dicomPort, dicomwebPlugin, settings });
    await writeFile(configPath, JSON.stringify(config, undefined, 2), { mode: 0o600 });

    const child: OrthancProcess = spawn(executable, [configPath], { stdio: ["ignore", "pipe", "pipe"] });
    const log = new LogTail(child.stdout, child.stderr);
    const orthanc = handleOf(child, `http://127.0.0.1:${httpPort}`);
    const failure = await whyNotReady(orthanc, name, child, options);
    if (failure === undefined) {
      await writeFile(pidPath, String(orthanc.pid));
      return orthanc;
    }
    await orthanc[Symbol.asyncDispose]();
    options.signal?.throwIfAborted();
    const portTaken = /\bport\b.*\balready in use\b/i.test(log.last(5));
    if (portTaken && !options.httpPort && attempt < PORT_ATTEMPTS) continue;
    throw new OrthancStartError(`Orthanc ${failure}. The end of its log:\n${log.last(8)}`);
  }
}

/**
 * An Orthanc whose owner was killed goes on, and holds its index: only its user may decide to stop it. One whose owner lives is
 * in use.
 * @throws OrthancStartError that names the process
 */
async function refuseHeldFolder(pidPath: string): Promise<void> {
  const pid = Number(await readFile(pidPath, "utf8").catch(() => ""));
  if (!(pid > 0)) return;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  if (!command.includes(dirname(pidPath))) return;
  const [, owner = "1"] = /^PPid:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8").catch(() => "")) ?? [];
  if ((await readFile(`/proc/${owner}/cmdline`, "utf8").catch(() => "")).includes("parse3d")) {
    throw new OrthancStartError(
      `Process ${owner} is using this storage folder: the same program runs already. Go on there, or end it with Ctrl-C first.`,
    );
  }
  throw new OrthancStartError(
    `Process ${pid} is an Orthanc on this storage folder that an earlier run left behind. Stop it with: kill ${pid}`,
  );
}

/** @returns undefined when both its own API and DICOMweb answer */
async function whyNotReady(
  { baseUrl, dicomwebUrl }: Orthanc,
  name: string,
  child: OrthancProcess,
  { startTimeoutMs = 60_000, signal }: OrthancOptions,
): Promise<string | undefined> {
  const giveUpAt = performance.now() + startTimeoutMs;
  while (performance.now() < giveUpAt) {
    if (signal?.aborted) return "was not waited for";
    if (hasEnded(child)) return `ended by itself (exit code ${child.exitCode ?? child.signalCode})`;
    const system = await answer(`${baseUrl}/system`);
    if (system?.includes(`"${name}"`) && (await answer(`${dicomwebUrl}/studies?limit=1`)) !== undefined)
      return undefined;
    await sleep(POLL_MS);
  }
  return `does not answer within ${startTimeoutMs / 1000} s`;
}

async function answer(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

function handleOf(child: OrthancProcess, baseUrl: string): Orthanc {
  const exited = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  // A process that ends without disposing takes its Orthanc with it.
  const onExit = () => child.kill("SIGTERM");
  process.once("exit", onExit);
  exited.then(() => process.off("exit", onExit));
  return {
    pid: child.pid ?? -1,
    baseUrl,
    dicomwebUrl: `${baseUrl}/dicom-web`,
    exited,
    [Symbol.asyncDispose]: async () => {
      if (hasEnded(child)) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function hasEnded({ pid, exitCode, signalCode }: OrthancProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}
