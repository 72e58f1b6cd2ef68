import { readFileSync } from "node:fs";

/**
 * What makes a Node process print its peak memory in MiB, as the last line on stderr, when it ends. Linux's own count of a
 * process's memory is asked, for resourceUsage() starts with what the process that started it held.
 */
const TELL = `
import { readFileSync } from "node:fs";
process.on("exit", () => {
  const [, kib] = /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"));
  process.stderr.write("\\npeak " + kib / 1024);
});`;

export const TELLING_NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(TELL)}`;

/** @throws Error where the process did not tell it */
export function toldPeakMiB(stderr: string): number {
  const told = /\npeak ([\d.]+)$/.exec(stderr)?.[1];
  if (told === undefined) throw new Error("the process did not say its peak memory");
  return Number(told);
}

/** The peak memory so far of a process that still runs, by Linux's count. */
export function peakMiBOf(pid: number | undefined): number {
  const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  if (kib === undefined) throw new Error("the process is gone");
  return Number(kib) / 1024;
}
