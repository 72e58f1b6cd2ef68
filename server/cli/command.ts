import { setMaxListeners } from "node:events";
import { exitCodeOf } from "./exit-code.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

export interface CommandContext {
  readonly terminal: Terminal;
  /**
   * Aborted by Ctrl-C and SIGTERM: a command ends its work and what it started. The exit code is then 130, or 0 where
   * being stopped is the normal end (serve, demo).
   */
  readonly signal: AbortSignal;
}

/** Runs one command: its failure becomes words, JSON where asked for, and an exit code; never a stack for the user's own mistakes. */
export async function runCommand(json: boolean, work: (context: CommandContext) => Promise<void>): Promise<void> {
  const terminal = openTerminal({ json });
  const interrupt = new AbortController();
  setMaxListeners(0, interrupt.signal);
  const stop = () => interrupt.abort(new DOMException("Interrupted.", "AbortError"));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    await work({ terminal, signal: interrupt.signal });
  } catch (error) {
    terminal.fail(error);
    process.exitCode = exitCodeOf(error);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
