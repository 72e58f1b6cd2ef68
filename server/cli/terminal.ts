import type { SingleBar } from "cli-progress";
import { DomainError } from "#converters/errors.ts";
import type { Finding, Run } from "#server/domain/index.ts";
import { ConfigError } from "../config-error.ts";

/** Where a command speaks: results to stdout (JSON where asked for), progress and words to stderr. */
export interface Terminal {
  readonly json: boolean;
  /** One JSON document where `json`; otherwise the lines. */
  answer(document: unknown, lines: readonly string[]): void;
  /** Words for people; silent where `json`. */
  say(line: string): void;
  fail(error: unknown): void;
  /** A progress bar on a terminal, nothing elsewhere. */
  watch(signal: AbortSignal): Run & { finding(finding: Finding): void } & Disposable;
}

export function openTerminal({ json }: { readonly json: boolean }): Terminal {
  const say = (line: string) => {
    if (!json) process.stderr.write(`${line}\n`);
  };
  return {
    json,
    say,
    answer(document, lines) {
      process.stdout.write(json ? `${JSON.stringify(document)}\n` : `${lines.join("\n")}\n`);
    },
    fail(error) {
      const known = error instanceof DomainError;
      const foreseen = known || error instanceof ConfigError || isAbort(error);
      const problem = {
        code: known ? error.code : isAbort(error) ? "interrupted" : foreseen ? "invalid-request" : "internal",
        detail: error instanceof Error ? error.message : String(error),
        retryable: known ? error.retryable : false,
        ...(known && { details: error.details }),
      };
      if (json) process.stdout.write(`${JSON.stringify({ problem })}\n`);
      process.stderr.write(`parse3d: ${problem.detail} [${problem.code}]\n`);
      if (!foreseen && error instanceof Error && error.stack) process.stderr.write(`${error.stack}\n`);
    },
    watch: (signal) => watchRun(signal, !json && process.stderr.isTTY === true),
  };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function watchRun(signal: AbortSignal, visible: boolean) {
  let bar: SingleBar | undefined;
  let ended = false;
  // Loaded beside the work, and only where somebody looks.
  if (visible) {
    void import("cli-progress").then(({ SingleBar }) => {
      if (ended) return;
      bar = new SingleBar({
        format: "{stage} [{bar}] {percentage}% {detail}",
        hideCursor: true,
        clearOnComplete: true,
        barsize: 30,
      });
      bar.start(100, 0, { stage: "starting".padEnd(8), detail: "" });
    });
  }
  return {
    signal,
    progress(stage: string, fraction: number, detail = "") {
      bar?.update(Math.round(fraction * 100), { stage: stage.padEnd(8), detail });
    },
    note() {},
    finding() {},
    [Symbol.dispose]() {
      ended = true;
      bar?.stop();
    },
  };
}
