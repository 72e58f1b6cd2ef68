import type { PlaneAnswer } from "#converters/pixels/index.ts";
import type { Begin } from "../protocol.ts";
import type { Reply } from "./engine.ts";
import type { ModelVolume } from "./model-volume.ts";
import { packPlane } from "./pack-plane.ts";

/** What one prompt comes to in one slice of a model. */
export interface SlicePlane extends PlaneAnswer {
  /** 0 or 1 for each pixel: the edges of touching objects; absent where there are none. */
  readonly edges?: Uint8Array;
  /** Of the prompt, with the last slice of all. */
  readonly disagreement?: number;
}

/** Takes a network's answers, one model slice after another, and hands on planes of the volume's own grid. */
export interface PlaneSink {
  /** @param answers one for each prompt */
  take(slice: number, answers: readonly SlicePlane[]): Promise<void>;
  end(): Promise<void>;
}

/** For slices that are the volume's own planes, turned or not: each goes on its way at once. */
export function planeSink(volume: ModelVolume, { prompts }: Begin, reply: Reply): PlaneSink {
  return {
    take: (slice, answers) => {
      const { axis, index } = volume.standing(slice);
      return reply.planes(
        answers.map(({ existence, mask, probability, edges, disagreement }, p) => ({
          promptId: prompts[p]!.id,
          axis,
          index,
          existence,
          ...(mask && { bits: packPlane(volume.restore(slice, mask)) }),
          ...(probability && { probability: volume.restore(slice, probability) }),
          ...(edges && { edges: packPlane(volume.restore(slice, edges)) }),
          ...(disagreement !== undefined && { disagreement }),
        })),
      );
    },
    end: async () => {},
  };
}
