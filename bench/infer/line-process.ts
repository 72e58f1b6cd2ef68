import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A program that is asked line by line, and answers each with a line. Disposing lets it end. */
export interface LineProcess extends AsyncDisposable {
  /** What it said before it was asked anything. */
  readonly greeting: string;
  /** @returns the program's answer to one line */
  ask(line: string): Promise<string>;
}

export async function openLineProcess(program: string, parameters: readonly string[]): Promise<LineProcess> {
  const child = spawn(program, [...parameters], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${program} ended`);
    return value;
  };
  return {
    greeting: await line(),
    async ask(text) {
      child.stdin.write(`${text}\n`);
      return line();
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
