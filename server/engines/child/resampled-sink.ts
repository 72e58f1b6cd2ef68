import { resampleNearest, type VolumeGeometry } from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume, planeSize, planeWalk, setPlane, unpackBits } from "#converters/mask/index.ts";
import type { PlaneAnswer } from "#converters/pixels/index.ts";
import type { Begin } from "../protocol.ts";
import type { Reply } from "./engine.ts";
import type { ModelVolume } from "./model-volume.ts";
import { ownPlane, planeTurner } from "./oriented-grid.ts";
import { packPlane } from "./pack-plane.ts";
import type { PlaneSink } from "./plane-sink.ts";

/**
 * Gathers answers on the resampled grid and, at the end, takes them to the volume's own slices k by nearest neighbour, one
 * prompt at a time. A slice's existence is that of the nearest model slice; where slices stand on another axis than the
 * model's, that of the whole volume.
 */
export function resampledSink(volume: ModelVolume, onto: VolumeGeometry, question: Begin, reply: Reply): PlaneSink {
  const { geometry, grid, axis } = volume;
  const turn = planeTurner(grid, axis);
  const gathered = question.prompts.map(({ id }) => ({
    id,
    mask: createBitVolume(geometry.size),
    existence: new Float32Array(geometry.size[ownPlane(grid, axis, 0).axis]),
    ...(question.probabilities && {
      probability: new Uint8Array(geometry.size[0] * geometry.size[1] * geometry.size[2]),
    }),
  }));
  return {
    take: async (modelIndex, answers: readonly PlaneAnswer[]) => {
      const own = ownPlane(grid, axis, modelIndex);
      for (const [p, { existence, mask, probability }] of answers.entries()) {
        const one = gathered[p]!;
        one.existence[own.index] = existence;
        if (mask) setPlane(one.mask, own.axis, own.index, turn(mask));
        if (probability && one.probability) putPlane(one.probability, geometry, own, turn(probability));
      }
    },
    end: async () => {
      const along = ownPlane(grid, axis, 0).axis;
      const pixels = onto.size[0] * onto.size[1];
      for (const { id, mask, existence, probability } of gathered) {
        const voxels = resampleNearest(unpackVolume(mask), geometry, onto);
        const grey = probability && resampleNearest(probability, geometry, onto);
        const largest = existence.reduce((left, right) => Math.max(left, right), 0);
        for (let k = 0; k < onto.size[2]; k++) {
          const plane = voxels.subarray(k * pixels, (k + 1) * pixels);
          const nearest = Math.min(existence.length - 1, Math.floor(((k + 0.5) * existence.length) / onto.size[2]));
          await reply.planes([
            {
              promptId: id,
              axis: 2,
              index: k,
              existence: along === 2 ? existence[nearest]! : largest,
              ...(plane.includes(1) && { bits: packPlane(plane) }),
              ...(grey && { probability: grey.slice(k * pixels, (k + 1) * pixels) }),
            },
          ]);
        }
      }
    },
  };
}

function unpackVolume({ size, bits }: BitVolume): Uint8Array {
  return unpackBits(bits, 0, size[0] * size[1] * size[2]);
}

function putPlane(
  voxels: Uint8Array,
  { size }: VolumeGeometry,
  { axis, index }: ReturnType<typeof ownPlane>,
  plane: Uint8Array,
): void {
  const [width, height] = planeSize(size, axis);
  const { start, stepAcross, stepDown } = planeWalk(size, axis, index);
  for (let y = 0, p = 0; y < height; y++) {
    let n = start + y * stepDown;
    for (let x = 0; x < width; x++, p++, n += stepAcross) voxels[n] = plane[p]!;
  }
}
