import { randomUUID } from "node:crypto";
import type { Database } from "#server/database/index.ts";
import { holdArchive, letGo } from "./archive-table.ts";

/** How long a process that was killed keeps the others from an archive. */
const HOLD_MS = 30_000;

/** Of several processes one looks at an archive at a time: who holds it. It is held on while a look takes its time. */
export class ArchiveHold implements AsyncDisposable {
  readonly #db: Database;
  readonly #archive: string;
  readonly #holder = randomUUID();
  readonly #alone: boolean;
  readonly #timer: NodeJS.Timeout;
  #held = false;

  /** @param options.alone no other process can be there: whoever seems to hold it is dead */
  constructor({ db, archive, alone }: { readonly db: Database; readonly archive: string; readonly alone: boolean }) {
    this.#db = db;
    this.#archive = archive;
    this.#alone = alone;
    // Where the database is away, the look that goes on says so.
    const renew = () => void (this.#held && this.take().catch(() => {}));
    this.#timer = setInterval(renew, HOLD_MS / 3).unref();
  }

  /** @returns false where another process holds it */
  async take(): Promise<boolean> {
    const as = { holder: this.#holder, forMs: HOLD_MS, alone: this.#alone };
    this.#held = await holdArchive(this.#db, this.#archive, as);
    return this.#held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await letGo(this.#db, this.#archive, this.#holder);
  }
}
