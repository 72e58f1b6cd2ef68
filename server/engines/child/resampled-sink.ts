import { resampleNearest, type VolumeGeometry } from "#converters/geometry/index.ts";
import { createBitVolume, setPlane, unpackBits, writePlane } from "#converters/mask/index.ts";
import type { Begin } from "../protocol.ts";
import type { Reply } from "./engine.ts";
import type { ModelVolume } from "./model-volume.ts";
import { packPlane } from "./pack-plane.ts";
import type { PlaneSink } from "./plane-sink.ts";

/**
 * For slices of a resampled grid: gathers masks as bits and, at the end, takes them to the volume's own slices k by nearest
 * neighbour, one prompt at a time. A slice's existence is that of the nearest model slice; where the model's slices stand on
 * another axis, that of the whole volume.
 */
export function resampledSink(volume: ModelVolume, onto: VolumeGeometry, question: Begin, reply: Reply): PlaneSink {
  const { geometry } = volume;
  const { size } = geometry;
  const voxelCount = size[0] * size[1] * size[2];
  const sliceAxis = volume.standing(0).axis;
  const gathered = question.prompts.map(({ id }) => ({
    id,
    mask: createBitVolume(size),
    existence: new Float32Array(size[sliceAxis]),
    disagreement: undefined as number | undefined,
    ...(question.probabilities && { probability: new Uint8Array(voxelCount) }),
    ...(question.instances && { edges: createBitVolume(size) }),
  }));
  return {
    take: async (slice, answers) => {
      const { axis, index } = volume.standing(slice);
      for (const [p, { existence, mask, probability, edges, disagreement }] of answers.entries()) {
        const one = gathered[p]!;
        one.existence[index] = existence;
        one.disagreement ??= disagreement;
        if (mask) setPlane(one.mask, axis, index, volume.restore(slice, mask));
        if (edges && one.edges) setPlane(one.edges, axis, index, volume.restore(slice, edges));
        if (probability && one.probability) {
          writePlane(one.probability, size, axis, index, volume.restore(slice, probability));
        }
      }
    },
    end: async () => {
      const pixels = onto.size[0] * onto.size[1];
      for (const { id, mask, existence, probability, edges, disagreement } of gathered) {
        const voxels = resampleNearest(unpackBits(mask.bits, 0, voxelCount), geometry, onto);
        const borders = edges && resampleNearest(unpackBits(edges.bits, 0, voxelCount), geometry, onto);
        const grey = probability && resampleNearest(probability, geometry, onto);
        const largest = existence.reduce((left, right) => Math.max(left, right), 0);
        for (let k = 0; k < onto.size[2]; k++) {
          const plane = voxels.subarray(k * pixels, (k + 1) * pixels);
          const border = borders?.subarray(k * pixels, (k + 1) * pixels);
          const nearest = Math.min(existence.length - 1, Math.floor(((k + 0.5) * existence.length) / onto.size[2]));
          await reply.planes([
            {
              promptId: id,
              axis: 2,
              index: k,
              existence: sliceAxis === 2 ? existence[nearest]! : largest,
              ...(plane.includes(1) && { bits: packPlane(plane) }),
              ...(border?.includes(1) && { edges: packPlane(border) }),
              ...(disagreement !== undefined && k === onto.size[2] - 1 && { disagreement }),
              ...(grey && { probability: grey.slice(k * pixels, (k + 1) * pixels) }),
            },
          ]);
        }
      }
    },
  };
}
