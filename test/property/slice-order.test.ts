import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { UnsupportedSeriesError } from "#converters/errors.ts";
import { add, cross, dot, normalize, scale, subtract, transformPoint, type Vec3 } from "#converters/geometry/index.ts";
import { axial, columns, ctSlice, rows, type SliceLayout } from "../fixtures/ct-slices.ts";

const mm = fc.double({ min: -500, max: 500, noNaN: true });
const component = fc.double({ min: -1, max: 1, noNaN: true });
const direction = fc
  .tuple(component, component, component)
  .filter((v) => Math.hypot(...v) > 0.1)
  .map((v) => normalize(v));

const layouts: fc.Arbitrary<SliceLayout> = fc
  .record({
    row: direction,
    other: direction,
    origin: fc.tuple(mm, mm, mm),
    spacingMm: fc.double({ min: 0.3, max: 10, noNaN: true }),
    slices: fc.integer({ min: 4, max: 12 }),
  })
  .filter(({ row, other }) => Math.abs(dot(row, other)) < 0.95)
  .map(({ row, other, ...rest }) => {
    const column = normalize(subtract(other, scale(row, dot(row, other))));
    return { ...rest, orientation: [row, column] as const };
  });

const shuffled = layouts.chain((layout) =>
  fc.record({
    layout: fc.constant(layout),
    order: fc.shuffledSubarray([...Array(layout.slices).keys()], { minLength: layout.slices }),
  }),
);

async function reasonFor(instances: readonly Uint8Array[]): Promise<Record<string, unknown>> {
  const outcome = await decodeSeries(instances).catch((error: unknown) => error);
  return outcome instanceof UnsupportedSeriesError ? outcome.details : { read: outcome };
}

test("the order in which slices arrive changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(shuffled, async ({ layout, order }) => {
      const slices = order.map((_, k) => ctSlice(k, layout));
      const inOrder = await decodeSeries(slices);
      const outOfOrder = await decodeSeries(order.map((k) => slices[k]!));
      expect(outOfOrder).toEqual(inOrder);
    }),
    { numRuns: 50 },
  );
});

test("every slice lies in the volume where its header puts it, in any orientation", async () => {
  await fc.assert(
    fc.asyncProperty(shuffled, async ({ layout, order }) => {
      const { volume } = await decodeSeries(order.map((k) => ctSlice(k, layout)));
      const [row, column] = layout.orientation;
      const normal = cross(row, column);
      for (let k = 0; k < layout.slices; k++) {
        expect(volume.sources[k]?.sopInstanceUid).toBe(`2.25.4.${k + 1}`);
        const corner = [columns - 1, rows - 1, k] as const;
        const steps: readonly [Vec3, number][] = [
          [row, 0.75 * corner[0]],
          [column, 0.5 * corner[1]],
          [normal, layout.spacingMm * k],
        ];
        const expected = steps.reduce((point, [along, length]) => add(point, scale(along, length)), layout.origin);
        const found = transformPoint(volume.geometry.ijkToLps, corner);
        found.forEach((value, n) => {
          expect(value).toBeCloseTo(expected[n]!, 5);
        });
      }
    }),
    { numRuns: 50 },
  );
});

test("a slice that is missing inside is found, and where", async () => {
  const cases = shuffled.chain((one) =>
    fc.record({ one: fc.constant(one), hole: fc.integer({ min: 1, max: one.layout.slices - 2 }) }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ one: { layout, order }, hole }) => {
      const details = await reasonFor(order.filter((k) => k !== hole).map((k) => ctSlice(k, layout)));
      expect(details).toMatchObject({ reason: "missing-slice", missing: 1, afterSlice: hole });
    }),
    { numRuns: 50 },
  );
});

test("a slice that was sent twice is found, and where", async () => {
  const cases = shuffled.chain((one) =>
    fc.record({ one: fc.constant(one), twice: fc.integer({ min: 0, max: one.layout.slices - 1 }) }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ one: { layout, order }, twice }) => {
      const details = await reasonFor([...order, twice].map((k) => ctSlice(k, layout)));
      expect(details).toMatchObject({ reason: "duplicate-position", position: twice + 1, repeated: 1 });
    }),
    { numRuns: 50 },
  );
});

test("a stack that leans by a degree or more is never taken for a straight one", async () => {
  const degrees = fc.double({ min: 1, max: 40, noNaN: true });
  await fc.assert(
    fc.asyncProperty(degrees, fc.integer({ min: 3, max: 20 }), async (angle, slices) => {
      const lean = Math.tan((angle * Math.PI) / 180) * 5;
      const details = await reasonFor(
        Array.from({ length: slices }, (_, k) =>
          ctSlice(0, axial, { ImagePositionPatient: `0\\${k * lean}\\${k * 5}` }),
        ),
      );
      expect(details.reason).toBe("gantry-tilt");
      expect(details.degrees).toBeCloseTo(angle, 1);
    }),
    { numRuns: 50 },
  );
});
