import type { Volume } from "#converters/geometry/index.ts";
import type { Prompt, Run, SegmentOptions, SliceResult } from "#server/domain/index.ts";
import type { EngineModel, EngineStatus } from "./process-model.ts";

interface Member {
  readonly model: EngineModel;
  /** Questions that it was given and has not answered. */
  waiting: number;
  /** Of the last of them. */
  volume?: WeakRef<Volume>;
}

/**
 * One model on several devices: a process for each. A question goes to the one with the fewest before it; of those alike to
 * the one that saw this volume last, for it has the pictures.
 */
export class PooledModel implements EngineModel {
  readonly card;
  readonly #members: readonly Member[];
  #last: EngineModel | undefined;

  constructor(models: readonly [EngineModel, ...EngineModel[]]) {
    this.card = models[0].card;
    this.#members = models.map((model) => ({ model, waiting: 0 }));
  }

  /** Of the model as a whole: busy where any of its processes is; `members` tells of each. */
  status(): EngineStatus {
    const members = this.#members.map(({ model }) => model.status());
    const rank = ["busy", "idle", "unloaded"] as const;
    const state = rank.find((one) => members.some((member) => member.state === one)) ?? "unloaded";
    const first = members.find(({ provider }) => provider);
    return { model: this.card.name, state, ...(first?.provider && { provider: first.provider }), members };
  }

  computedOn(): string | undefined {
    return (this.#last ?? this.#members[0]!.model).computedOn?.();
  }

  async *segment(
    volume: Volume,
    prompts: readonly Prompt[],
    options: SegmentOptions,
    run: Run,
  ): AsyncGenerator<SliceResult, void, void> {
    const knows = (member: Member) => Number(member.volume?.deref() === volume);
    const [chosen] = this.#members.toSorted((a, b) => a.waiting - b.waiting || knows(b) - knows(a));
    const member = chosen!;
    member.waiting++;
    member.volume = new WeakRef(volume);
    try {
      yield* member.model.segment(volume, prompts, options, run);
      this.#last = member.model;
    } finally {
      member.waiting--;
    }
  }

  async warm(): Promise<void> {
    await Promise.all(this.#members.map(({ model }) => model.warm()));
  }

  async retire(): Promise<void> {
    await Promise.all(this.#members.map(({ model }) => model.retire()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ model }) => model[Symbol.asyncDispose]()));
  }
}
