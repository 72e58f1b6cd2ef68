import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromColumns, transformPoint, type Vec3, type VolumeGeometry } from "#converters/geometry/index.ts";
import { labelComponents } from "../../server/engines/child/label-components.ts";
import { keepLargestObject, keepOrgan, LEFT, RIGHT, refineLabels } from "../../server/engines/child/label-map.ts";
import { fitMidsagittal } from "../../server/engines/child/midsagittal.ts";

describe("labelComponents", () => {
  const map = fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }))
    .chain((size) =>
      fc.record({
        size: fc.constant(size),
        labels: fc.uint8Array({
          min: 0,
          max: 2,
          minLength: size[0] * size[1] * size[2],
          maxLength: size[0] * size[1] * size[2],
        }),
      }),
    );

  test.each([true, false])(
    "two voxels share a component exactly where a walk over faces joins them (joinLabels %s)",
    (joinLabels) => {
      fc.assert(
        fc.property(map, ({ size, labels }) => {
          const { start, end, component, voxels } = labelComponents(labels, size, { joinLabels });
          const found = new Int32Array(labels.length).fill(-1);
          for (let r = 0; r < start.length; r++) found.fill(component[r]!, start[r], end[r]);
          const walked = floodFill(labels, size, joinLabels);
          const pairs = new Set(Array.from(found, (number, n) => `${number} ${walked[n]}`));
          expect(pairs.size).toBe(new Set(found).size);
          expect(pairs.size).toBe(new Set(walked).size);
          voxels.forEach((count, number) => {
            expect(count).toBe(found.filter((other) => other === number).length);
          });
        }),
      );
    },
  );
});

test("the largest object is kept with all its labels; what lies apart becomes background", () => {
  const labels = Uint8Array.of(1, 1, 2, 0, 2, 0, 1, 1);
  const { labels: kept, voxels } = keepLargestObject(labels, [8, 1, 1]);
  expect([...kept]).toEqual([1, 1, 2, 0, 0, 0, 0, 0]);
  expect(voxels).toBe(3);
  expect(keepLargestObject(new Uint8Array(4), [4, 1, 1]).voxels).toBe(0);
});

describe("an organ with surroundings", () => {
  const [rest, brain, stray] = [18, 2, 7];

  test("is counted without them, and they stay around it", () => {
    const { labels, voxels } = keepOrgan(Uint8Array.of(rest, rest, brain, brain, rest, 0), [6, 1, 1], rest);
    expect([...labels]).toEqual([rest, rest, brain, brain, rest, 0]);
    expect(voxels).toBe(2);
  });

  test("a piece that lies apart from it is part of them; what lies apart from them is nothing", () => {
    const { labels, voxels } = keepOrgan(
      Uint8Array.of(brain, brain, rest, stray, rest, 0, rest, stray, 0),
      [9, 1, 1],
      rest,
    );
    expect([...labels]).toEqual([brain, brain, rest, rest, rest, 0, 0, 0, 0]);
    expect(voxels).toBe(2);
  });

  test("surroundings alone are no organ", () => {
    expect(keepOrgan(Uint8Array.of(rest, rest), [2, 1, 1], rest).voxels).toBe(0);
  });
});

describe("left and right", () => {
  /** Two pairs of balls, mirrored about x = 0 of a head that looks forward: label 1 outside, label 2 inside; 3 is a bar across. */
  const size: Vec3 = [60, 50, 40];
  const headPoint = (i: number, j: number, k: number): Vec3 => [i - 29.5, j - 25, k - 20];
  const labels = drawHead();

  function drawHead(): Uint8Array {
    const head = new Uint8Array(size[0] * size[1] * size[2]);
    for (let k = 0, n = 0; k < size[2]; k++) {
      for (let j = 0; j < size[1]; j++) {
        for (let i = 0; i < size[0]; i++, n++) {
          const [x, y, z] = headPoint(i, j, k);
          if (Math.hypot(Math.abs(x) - 20, y + 8, z) < 7) head[n] = 1;
          else if (Math.hypot(Math.abs(x) - 9, y - 10, z - 3) < 5) head[n] = 2;
          else if (Math.abs(x) < 10 && Math.abs(y + 8) < 2 && Math.abs(z - 14) < 2) head[n] = 3;
        }
      }
    }
    return head;
  }

  /** The head turned by `yaw` (about z) and `roll` (about y), degrees, and moved, in the scanner. */
  function placed(yaw: number, roll: number, shift: Vec3): { grid: VolumeGeometry; axis: Vec3; middle: Vec3 } {
    const [cy, sy] = [Math.cos((yaw * Math.PI) / 180), Math.sin((yaw * Math.PI) / 180)];
    const [cr, sr] = [Math.cos((roll * Math.PI) / 180), Math.sin((roll * Math.PI) / 180)];
    const turned = fromColumns([cy * cr, sy * cr, sr], [-sy, cy, 0], [-cy * sr, -sy * sr, cr], shift);
    const origin = transformPoint(turned, headPoint(0, 0, 0));
    const ijkToLps = fromColumns([cy * cr, sy * cr, sr], [-sy, cy, 0], [-cy * sr, -sy * sr, cr], origin);
    return { grid: { size, ijkToLps, frameOfReferenceUid: "" }, axis: [cy * cr, sy * cr, sr], middle: shift };
  }

  const angle = fc.double({ min: -30, max: 30, noNaN: true });
  const mm = fc.double({ min: -80, max: 80, noNaN: true });

  test("the plane is the head's own, however the head is turned and wherever it lies", () => {
    fc.assert(
      fc.property(angle, angle, fc.tuple(mm, mm, mm), (yaw, roll, shift) => {
        const { grid, axis, middle } = placed(yaw, roll, shift);
        const plane = fitMidsagittal(labels, grid, [1, 2])!;
        expect(axis[0] * plane.normal[0] + axis[1] * plane.normal[1] + axis[2] * plane.normal[2]).toBeGreaterThan(
          0.9999,
        );
        const [x, y, z] = middle;
        expect(plane.normal[0] * x + plane.normal[1] * y + plane.normal[2] * z).toBeCloseTo(plane.offset, 0);
      }),
      { numRuns: 10 },
    );
  });

  test("a piece on one side belongs to it whole; a piece across the middle is cut there; a midline label has no side", () => {
    const { grid } = placed(20, -12, [35, 0, 0]);
    const classes = ([1, 2, 3, 4] as const).map((value) => ({
      value,
      name: `class ${value}`,
      synonyms: [],
      code: { value: "1", scheme: "99TEST", meaning: "Test" },
      side: value === 4 ? ("midline" as const) : ("both" as const),
    }));
    const withMidline = labels.map((value, n) => (value === 0 && n < 3000 ? 4 : value));
    const { labels: kept, sides } = refineLabels(withMidline, grid, {
      classes,
      sides: { rule: "midsagittal", planeFrom: [1, 2] },
    });
    expect(kept).toEqual(withMidline);
    for (let n = 0; n < kept.length; n++) {
      const x = headPoint(n % size[0], 0, 0)[0];
      const expected = kept[n] === 0 || kept[n] === 4 ? 0 : x > 0 ? LEFT : RIGHT;
      if (kept[n] !== 3 || Math.abs(x) > 1) expect(sides![n]).toBe(expected);
    }
  });

  test("a speck is no structure", () => {
    const specks = new Uint8Array(1000);
    specks.fill(1, 0, 10);
    specks.fill(2, 500, 519);
    const grid = {
      size: [1000, 1, 1] as Vec3,
      ijkToLps: placed(0, 0, [0, 0, 0]).grid.ijkToLps,
      frameOfReferenceUid: "",
    };
    expect(refineLabels(specks, grid, { classes: [], sides: { rule: "none" } }).labels.some(Boolean)).toBe(false);
    specks.fill(2, 500, 520);
    expect(refineLabels(specks, grid, { classes: [], sides: { rule: "none" } }).labels[510]).toBe(2);
  });

  test("there is no plane where there is nothing to fit it to", () => {
    expect(fitMidsagittal(new Uint8Array(labels.length), placed(0, 0, [0, 0, 0]).grid, [1, 2])).toBeUndefined();
  });
});

function floodFill(labels: Uint8Array, [ni, nj, nk]: Vec3, joinLabels: boolean): Int32Array {
  const number = new Int32Array(labels.length).fill(-1);
  let next = 0;
  for (let seed = 0; seed < labels.length; seed++) {
    if (labels[seed] === 0 || number[seed] !== -1) continue;
    const open = [seed];
    number[seed] = next;
    for (let n = open.pop(); n !== undefined; n = open.pop()) {
      const [i, j, k] = [n % ni, Math.floor(n / ni) % nj, Math.floor(n / (ni * nj))];
      const around = [
        i > 0 && n - 1,
        i + 1 < ni && n + 1,
        j > 0 && n - ni,
        j + 1 < nj && n + ni,
        k > 0 && n - ni * nj,
        k + 1 < nk && n + ni * nj,
      ];
      for (const other of around) {
        if (other === false || labels[other] === 0 || number[other] !== -1) continue;
        if (!joinLabels && labels[other] !== labels[n]) continue;
        number[other] = next;
        open.push(other);
      }
    }
    next++;
  }
  return number;
}
