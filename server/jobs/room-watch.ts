import type { Logger } from "../logger.ts";
import type { RoomCheck } from "./worker.ts";

/** Whether there is room for one more job, and since it was last asked why not. */
export class RoomWatch {
  readonly #room: RoomCheck;
  readonly #logger: Logger;
  #lack: string | undefined;

  constructor(room: RoomCheck, logger: Logger) {
    this.#room = room;
    this.#logger = logger;
  }

  /** Why nothing is begun now, in plain words. */
  get lack(): string | undefined {
    return this.#lack;
  }

  async hasRoom(): Promise<boolean> {
    const lack = await this.#room();
    if (lack !== undefined && this.#lack === undefined) {
      this.#logger.warn({ event: "jobs.held-back", reason: lack });
    }
    this.#lack = lack;
    return lack === undefined;
  }
}
