import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Message, Range } from "./child.ts";

export interface Failure {
  /** With the seed it is the whole case. */
  readonly n: number;
  readonly fault: "crashed" | "died" | "hung" | "slow" | "memory";
  readonly specimen?: string;
  readonly detail: string;
}

export interface Tally {
  readonly read: number;
  readonly refused: number;
  readonly failures: readonly Failure[];
  readonly slowestMs: number;
  readonly largestMegabytes: number;
}

/** Of processor time, for other work on the machine is no fault of a reader's. */
const SLOW_MS = 2000;
const MAX_MEGABYTES = 512;
const CHILD = join(import.meta.dirname, "child.ts");
/** By the clock, for what never ends; a busy machine may keep a case of half a second waiting for long. */
const HUNG_MS = 120_000;
/** Of what a process that died had to say. */
const SAID_CHARACTERS = 2000;
/** Then a fresh process, so that memory that the last cases left behind is not taken for the next one's. */
const CASES_PER_PROCESS = 250;

export interface RunOptions {
  /** Called after each case with the one that is next. */
  onCase?(next: number, tally: Tally): void;
  /** The program that runs the cases, and how long one of them may take by the clock. */
  readonly script?: string;
  readonly hungMs?: number;
}

/**
 * Runs the cases `from` to `to` of a seed in child processes, one at a time; a case that crashes its process or hangs is
 * noted, and the next one goes on in a new process.
 */
export async function runCases({ seed, from, to }: Range, options: RunOptions = {}): Promise<Tally> {
  let tally: Tally = { read: 0, refused: 0, failures: [], slowestMs: 0, largestMegabytes: 0 };
  for (let next = from; next < to; ) {
    const range = { seed, from: next, to: Math.min(next + CASES_PER_PROCESS, to) };
    next = await runProcess(range, options, (message) => {
      tally = counted(tally, message);
      options.onCase?.(message.n + 1, tally);
    });
  }
  return tally;
}

type Outcome = Exclude<Message, { begins: true }> | (Failure & { readonly begins?: false });

/** @returns the case to go on with. */
function runProcess(
  range: Range,
  { script = CHILD, hungMs = HUNG_MS }: RunOptions,
  note: (outcome: Outcome) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(script, {
      execArgv: ["--max-old-space-size=400"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let current = range.from;
    let running = false;
    let ended = false;
    let hung: NodeJS.Timeout | undefined;
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-SAID_CHARACTERS);
    });
    child.once("error", reject);
    child.on("message", (message: Message) => {
      // What it began while it was being ended is begun again by the next process.
      if (ended) return;
      clearTimeout(hung);
      current = message.n;
      running = message.begins === true;
      if (message.begins) hung = setTimeout(() => kill(child), hungMs);
      else {
        note(message);
        current++;
        ended = message.megabytes > MAX_MEGABYTES;
        if (ended) kill(child);
      }
    });
    child.once("exit", (code, signal) => {
      clearTimeout(hung);
      if (!running) return resolve(current);
      const fault = hung !== undefined && signal === "SIGKILL" ? "hung" : "died";
      note({ n: current, fault, detail: `exit code ${code}, signal ${signal}\n${said}` });
      resolve(current + 1);
    });
    child.send(range);
  });
}

function kill(child: ChildProcess): void {
  child.kill("SIGKILL");
}

function counted(tally: Tally, message: Outcome): Tally {
  const failures = [...tally.failures, ...failuresOf(message)];
  if ("fault" in message) return { ...tally, failures };
  return {
    read: tally.read + (message.outcome === "read" ? 1 : 0),
    refused: tally.refused + (message.outcome === "refused" ? 1 : 0),
    failures,
    slowestMs: Math.max(tally.slowestMs, message.cpuMs),
    largestMegabytes: Math.max(tally.largestMegabytes, message.megabytes),
  };
}

function failuresOf(message: Outcome): readonly Failure[] {
  if ("fault" in message) return [message];
  const { n, specimen, outcome, error = "", cpuMs, megabytes } = message;
  return [
    ...(outcome === "crashed" ? [{ n, specimen, fault: "crashed", detail: error } as const] : []),
    ...(cpuMs > SLOW_MS ? [{ n, specimen, fault: "slow", detail: `${cpuMs.toFixed(0)} ms` } as const] : []),
    ...(megabytes > MAX_MEGABYTES
      ? [{ n, specimen, fault: "memory", detail: `${megabytes.toFixed(0)} MB` } as const]
      : []),
  ];
}
