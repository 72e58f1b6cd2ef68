import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DecodedSeries, decodeSeries } from "#converters/dicom/index.ts";
import { transformPoint, voxelSizeMm } from "#converters/geometry/index.ts";
import { type DemoStudy, demoStudies } from "../../server/demo/demo-studies.ts";
import { MissingSystemPackagesError } from "../../server/demo/errors.ts";
import { readInvesaliusProject } from "../../server/demo/invesalius-project.ts";
import { demoFiles } from "../../server/demo/system-packages.ts";

const installed = existsSync(demoFiles.ctHead) && existsSync(demoFiles.mrHead);
if (!installed) console.warn("\n*** THE DEMO'S IMAGES ARE ABSENT: npm run setup -- demo-studies installs them. ***\n");

describe.skipIf(!installed)("the demo's studies", () => {
  let ct: DemoStudy;
  let mr: DemoStudy;
  let ctSeries: DecodedSeries;
  let mrSeries: DecodedSeries;

  beforeAll(async () => {
    const studies = await demoStudies();
    ct = studies.find(({ modality }) => modality === "CT")!;
    mr = studies.find(({ modality }) => modality === "MR")!;
    [ctSeries, mrSeries] = await Promise.all([decodeSeries(ct.instances), decodeSeries(mr.instances)]);
  });

  test("the CT is the InVesalius example, every voxel, with its rows turned back", () => {
    const { geometry, voxels } = ctSeries.volume;
    const [ni, nj, nk] = geometry.size;
    expect([ni, nj, nk]).toEqual([256, 256, 108]);
    const archive = gunzipSync(readFileSync(demoFiles.ctHead));
    const matrix = new Int16Array(fileInTar(archive, "matrix.dat").buffer);
    let different = 0;
    for (let k = 0, n = 0; k < nk; k++) {
      for (let j = 0; j < nj; j++) {
        for (let i = 0; i < ni; i++, n++) if (voxels[n] !== matrix[(k * nj + (nj - 1 - j)) * ni + i]) different++;
      }
    }
    expect(different).toBe(0);
    expect(ctSeries.volume.unit).toBe("HU");
    expect(voxelSizeMm(geometry.ijkToLps).map((mm) => mm.toFixed(5))).toEqual(["0.95703", "0.95703", "1.50000"]);
  });

  test("the CT's patient has a nose at the front, none at the back, and the top of the head at the top", () => {
    const { geometry, voxels } = ctSeries.volume;
    const [ni, nj, nk] = geometry.size;
    const middle = (ni - 1) / 2;
    const at = (i: number, j: number, k: number) => voxels[(k * nj + j) * ni + i]!;
    /** How far the midline sticks out beyond the places 24 mm beside it, mm, for the level where it does most. */
    const protrusion = (fromFront: boolean) => {
      const depth = (i: number, k: number) => {
        for (let step = 0; step < nj; step++) if (at(i, fromFront ? step : nj - 1 - step, k) > -300) return step;
        return nj;
      };
      let most = 0;
      for (let k = 20; k < 60; k++) {
        const centre = Math.min(...[-4, -2, 0, 2, 4].map((offset) => depth(Math.round(middle) + offset, k)));
        const beside = Math.min(depth(Math.round(middle) - 25, k), depth(Math.round(middle) + 25, k));
        if (beside < nj) most = Math.max(most, (beside - centre) * 0.957);
      }
      return most;
    };
    const towards = (axis: 0 | 1 | 2) => {
      const step = [0, 0, 0] as [number, number, number];
      step[axis] = 1;
      const from = transformPoint(geometry.ijkToLps, [0, 0, 0]);
      return transformPoint(geometry.ijkToLps, step)[axis] - from[axis];
    };
    expect([towards(0), towards(1), towards(2)].every((mm) => mm > 0)).toBe(true);
    expect(protrusion(true)).toBeGreaterThan(15);
    expect(protrusion(false)).toBeLessThan(10);

    const tissue = (k: number) => {
      let count = 0;
      for (let n = k * ni * nj; n < (k + 1) * ni * nj; n++) if (voxels[n]! > -100) count++;
      return count;
    };
    expect(tissue(nk - 1)).toBeLessThan(tissue(0) / 5);
  });

  test("every voxel of the MR stands at its place in Talairach space, left on the left", () => {
    const { geometry, voxels } = mrSeries.volume;
    const bytes = gunzipSync(readFileSync(demoFiles.mrHead));
    const header = new DataView(bytes.buffer, bytes.byteOffset);
    const [ni, nj, nk] = [1, 2, 3].map((n) => header.getInt16(40 + 2 * n, true)) as [number, number, number];
    const source = bytes.subarray(header.getFloat32(108, true));
    expect([...geometry.size].sort()).toEqual([ni, nj, nk].sort());
    let different = 0;
    const [mi, mj] = geometry.size;
    for (let n = 0; n < voxels.length; n++) {
      const [x, y, z] = transformPoint(geometry.ijkToLps, [n % mi, Math.floor(n / mi) % mj, Math.floor(n / (mi * mj))]);
      // The file's sform: RAS = (i - 90, j - 125, k - 71) mm.
      const [i, j, k] = [Math.round(-x + 90), Math.round(-y + 125), Math.round(z + 71)];
      if (voxels[n] !== source[(k * nj + j) * ni + i]) different++;
    }
    expect(different).toBe(0);
  });

  test("every instance has a UID of its own, and belongs to its series", () => {
    for (const [study, series] of [
      [ct, ctSeries],
      [mr, mrSeries],
    ] as const) {
      const { sources } = series.volume;
      expect(new Set(sources.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(study.instanceCount);
      expect(series.header.series.SeriesInstanceUID).toBe(study.seriesInstanceUid);
      expect(series.header.study.StudyInstanceUID).toBe(study.studyInstanceUid);
      expect(study.seriesInstanceUid).toMatch(/^2\.25\.[1-9]\d{30,38}$/);
      expect(series.notes).toEqual([]);
    }
    expect(ct.studyInstanceUid).not.toBe(mr.studyInstanceUid);
  });

  test("they are the same to the byte whenever they are made", async () => {
    const again = (await demoStudies()).find(({ modality }) => modality === "CT")!;
    expect(again.studyInstanceUid).toBe(ct.studyInstanceUid);
    const [first] = ct.instances;
    const [second] = again.instances;
    expect(Buffer.compare(first!, second!)).toBe(0);
  });

  test.skipIf(spawnSync("dciodvfy", ["-version"]).error !== undefined)("dciodvfy finds no error in them", () => {
    const folder = mkdtempSync(join(tmpdir(), "parse3d-demo-"));
    try {
      for (const study of [ct, mr]) {
        const [instance] = study.instances;
        const file = join(folder, `${study.modality}.dcm`);
        writeFileSync(file, instance!);
        const { stdout, stderr } = spawnSync("dciodvfy", [file], { encoding: "utf8" });
        expect(`${stdout}${stderr}`.split("\n").filter((line) => line.startsWith("Error"))).toEqual([]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("a missing image names the package that brings it", async () => {
  const failure = await demoStudies({ ctHead: "/nowhere/Cranium.inv3", mrHead: "/nowhere/ch2.nii.gz" }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(MissingSystemPackagesError);
  expect(failure).toMatchObject({
    message: expect.stringMatching(/apt-get install .*(invesalius-examples|mricron-data)/),
  });
});

describe("an InVesalius project", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "parse3d-inv3-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const matrix = new Uint8Array(new Int16Array([-1000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).buffer);
  const plist = ({
    shape = [2, 2, 3],
    orientation = 1,
    dtype = "int16",
  } = {}) => `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>modality</key><string>CT</string><key>orientation</key><integer>${orientation}</integer>
<key>matrix</key><dict><key>dtype</key><string>${dtype}</string><key>filename</key><string>matrix.dat</string>
<key>shape</key><array>${shape.map((n) => `<integer>${n}</integer>`).join("")}</array></dict>
<key>spacing</key><array><real>0.5</real><real>0.75</real><real>2</real></array>
</dict></plist>`;

  /** A project packed by the system's tar. */
  function project(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
    const inside = join(folder, "project");
    rmSync(inside, { recursive: true, force: true });
    mkdirSync(inside);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(inside, name), content);
    return new Uint8Array(execFileSync("tar", ["-cz", "--format=ustar", "-C", folder, "project"]));
  }

  test("has its voxels, its spacing, the front at high j and the head at high k", () => {
    const { geometry, voxels, unit } = readInvesaliusProject(project({ "main.plist": plist(), "matrix.dat": matrix }));
    expect(geometry.size).toEqual([3, 2, 2]);
    expect([...voxels]).toEqual([-1000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(unit).toBe("HU");
    expect(transformPoint(geometry.ijkToLps, [0, 0, 0])).toEqual([-0.5, 0.375, -1]);
    expect(transformPoint(geometry.ijkToLps, [2, 1, 1])).toEqual([0.5, -0.375, 1]);
  });

  test("is refused with the reason where it is something else", () => {
    const refusal = (file: Uint8Array) => {
      try {
        readInvesaliusProject(file);
      } catch (error) {
        return (error as { reason?: string }).reason;
      }
      return "read";
    };
    const good = project({ "main.plist": plist(), "matrix.dat": matrix });
    expect(refusal(new Uint8Array(100))).toBe("corrupt-gzip");
    expect(refusal(good.subarray(0, good.length - 20))).toBe("corrupt-gzip");
    expect(refusal(gzipSync(new Uint8Array(600).fill(65)))).toBe("invalid-header");
    expect(refusal(gzipSync(gunzipSync(good).subarray(0, 1100)))).toBe("truncated");
    expect(refusal(project({ "matrix.dat": matrix }))).toBe("invalid-header");
    expect(refusal(project({ "main.plist": "not XML", "matrix.dat": matrix }))).toBe("invalid-header");
    expect(refusal(project({ "main.plist": plist({ dtype: "float64" }), "matrix.dat": matrix }))).toBe(
      "invalid-header",
    );
    expect(refusal(project({ "main.plist": plist({ orientation: 3 }), "matrix.dat": matrix }))).toBe("invalid-header");
    expect(refusal(project({ "main.plist": plist({ shape: [9, 9, 9] }), "matrix.dat": matrix }))).toBe("truncated");
    expect(refusal(project({ "main.plist": plist() }))).toBe("truncated");
  });
});

/** One file of an unpacked tar, found by the system's tar. */
function fileInTar(archive: Uint8Array, name: string): Uint8Array {
  const content = execFileSync("tar", ["-xO", "--wildcards", `*/${name}`], { input: archive, maxBuffer: 1 << 28 });
  return Uint8Array.from(content);
}
