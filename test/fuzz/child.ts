/** Runs cases that the parent process names, one after the other, and says of each that it begins and how it ended. */
import { attempt, fuzzCase } from "./attempt.ts";
import { corpus } from "./corpus.ts";

export interface Range {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

export type Message =
  | { readonly n: number; readonly begins: true }
  | {
      readonly n: number;
      readonly begins?: false;
      readonly outcome: "read" | "refused" | "crashed";
      /** Of what crashed. */
      readonly error?: string | undefined;
      readonly specimen: string;
      readonly cpuMs: number;
      readonly megabytes: number;
    };

const send = (message: Message) => new Promise((resolve) => process.send?.(message, resolve));

process.once("message", async ({ seed, from, to }: Range) => {
  const specimens = await corpus();
  for (let n = from; n < to; n++) {
    await send({ n, begins: true });
    const one = fuzzCase(specimens, seed, n);
    const before = process.cpuUsage();
    let outcome: "read" | "refused" | "crashed" = "crashed";
    let error: string | undefined;
    try {
      outcome = await attempt(one);
    } catch (cause) {
      error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    }
    const { user, system } = process.cpuUsage(before);
    const megabytes = process.memoryUsage().rss / 2 ** 20;
    await send({ n, outcome, error, specimen: one.specimen.name, cpuMs: (user + system) / 1000, megabytes });
  }
  process.disconnect();
});
