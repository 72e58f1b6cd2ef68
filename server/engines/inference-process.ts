import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { ModelUnavailableError } from "#server/domain/index.ts";
import { childEnvironment } from "./child-environment.ts";
import type { EngineLogger } from "./engine-options.ts";
import { FromChild, type ToChild } from "./protocol.ts";
import { fromWire } from "./wire-error.ts";

/**
 * One inference process, spoken to in messages. Nothing but SIGKILL stops a network that is being computed. What it said
 * before it ended by itself is still heard; what it said before it was killed is not.
 */
export class InferenceProcess {
  readonly #child: ChildProcess;
  readonly #inbox: FromChild[] = [];
  /** Of messages on their way. Nothing else may hold on to a message: volumes travel in them. */
  readonly #sending = new Set<(fault: Error) => void>();
  #reader: PromiseWithResolvers<FromChild> | undefined;
  #fault: Error | undefined;
  #stderr = "";
  /** Settles when the process is gone and all that it said has arrived. */
  readonly exited: Promise<void>;

  constructor(logger?: EngineLogger) {
    this.#child = fork(new URL("./child/main.ts", import.meta.url), [], {
      serialization: "advanced",
      execArgv: [],
      env: childEnvironment(),
      // Nothing is written to stdin: it closes when this thread or its whole process is gone (orphan-guard.ts).
      stdio: ["pipe", "ignore", "pipe", "ipc"],
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000);
    });
    this.#child.on("message", (message) => this.#take(message));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.exited = promise;
    this.#child.on("error", (cause) => {
      this.kill(new ModelUnavailableError("The inference process cannot be started or spoken to.", { cause }));
      if (this.#child.pid === undefined) resolve();
    });
    this.#child.on("close", (code, signal) => {
      if (!this.#fault) logger?.warn({ event: "inference.died", code, signal, stderr: this.#stderr });
      const last = this.#inbox.find((message) => message.kind === "failed");
      this.#end(last ? fromWire(last.error) : new ModelUnavailableError(describeDeath(code, signal)));
      resolve();
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False once the process is gone, or was told to go. */
  get alive(): boolean {
    return this.#fault === undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Resolves when the message has left this process, so that awaiting it keeps no more than one in memory.
   * @throws what the process failed with, or ModelUnavailableError, where it is gone
   */
  send(message: ToChild): Promise<void> {
    if (this.#fault) return Promise.reject(this.#fault);
    return new Promise((resolve, reject) => {
      this.#child.send(message, (broken) => {
        if (broken) {
          // Its end tells the sender why.
          this.#child.kill("SIGKILL");
          return;
        }
        this.#sending.delete(reject);
        resolve();
      });
      this.#sending.add(reject);
    });
  }

  /** The next message, in order. @throws as `send` does, after the last one */
  receive(): Promise<FromChild> {
    const message = this.#inbox.shift();
    if (message) return Promise.resolve(message);
    if (this.#fault) return Promise.reject(this.#fault);
    this.#reader = Promise.withResolvers<FromChild>();
    return this.#reader.promise;
  }

  /** Ends the process at once, whatever it does; who waits for a message gets `reason`. */
  kill(reason: Error = new ModelUnavailableError("The inference process was stopped.")): void {
    this.#end(reason);
    this.#inbox.length = 0;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.keepProgramAlive(true);
    this.#child.kill("SIGKILL");
  }

  /** Whether this program stays alive for the process's sake. */
  keepProgramAlive(keep: boolean): void {
    for (const handle of [this.#child, this.#child.channel, this.#child.stderr as Socket | null]) {
      if (keep) handle?.ref();
      else handle?.unref();
    }
  }

  #take(data: unknown): void {
    if (this.#fault) return;
    const parsed = FromChild.safeParse(data);
    if (!parsed.success) {
      this.kill(new ModelUnavailableError("The inference process sent a malformed message.", { cause: parsed.error }));
    } else if (this.#reader) {
      this.#reader.resolve(parsed.data);
      this.#reader = undefined;
    } else {
      this.#inbox.push(parsed.data);
    }
  }

  #end(fault: Error): void {
    this.#fault ??= fault;
    this.#reader?.reject(this.#fault);
    this.#reader = undefined;
    for (const reject of this.#sending) reject(this.#fault);
    this.#sending.clear();
  }
}

function describeDeath(code: number | null, signal: NodeJS.Signals | null): string {
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  const why = signal === "SIGKILL" ? " (often because the machine ran out of memory)" : "";
  return `The inference process ${how}${why}. It is started again for the next request: ask again.`;
}
