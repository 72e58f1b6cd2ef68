import type { PlaneAnswer } from "#converters/pixels/index.ts";
import type { Begin } from "../protocol.ts";
import type { Reply } from "./engine.ts";
import type { ModelVolume } from "./model-volume.ts";
import { ownPlane, planeTurner } from "./oriented-grid.ts";
import { packPlane } from "./pack-plane.ts";

/** Takes a network's answers, one model slice after another, and hands on planes of the volume's own grid. */
export interface PlaneSink {
  /** @param answers one for each prompt */
  take(modelIndex: number, answers: readonly PlaneAnswer[]): Promise<void>;
  end(): Promise<void>;
}

/** For slices that are the volume's own planes, turned or not: each goes on its way at once. */
export function planeSink({ grid, axis }: ModelVolume, { prompts }: Begin, reply: Reply): PlaneSink {
  const turn = planeTurner(grid, axis);
  return {
    take: (modelIndex, answers) => {
      const where = ownPlane(grid, axis, modelIndex);
      return reply.planes(
        answers.map(({ existence, mask, probability }, p) => ({
          ...where,
          promptId: prompts[p]!.id,
          existence,
          ...(mask && { bits: packPlane(turn(mask)) }),
          ...(probability && { probability: turn(probability) }),
        })),
      );
    },
    end: async () => {},
  };
}
