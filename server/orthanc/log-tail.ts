import type { Readable } from "node:stream";

const KEPT_LINES = 40;

/** The last lines that a process wrote, without anything that looks like a UID. */
export class LogTail {
  #lines: string[] = [];
  #rest = "";

  constructor(...streams: readonly Readable[]) {
    for (const stream of streams) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        const lines = (this.#rest + text).split("\n");
        this.#rest = lines.pop() ?? "";
        this.#lines = [...this.#lines, ...lines].slice(-KEPT_LINES);
      });
    }
  }

  last(count: number): string {
    return [...this.#lines, this.#rest]
      .filter((line) => line.trim() !== "")
      .slice(-count)
      .map((line) => line.replace(/\d+(?:\.\d+){4,}/g, "<uid>"))
      .join("\n");
  }
}
