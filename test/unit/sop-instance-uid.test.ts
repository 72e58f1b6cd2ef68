import { describe, expect, test } from "vitest";
import { firstText, readPart10 } from "#converters/dicom/index.ts";
import { sopInstanceUidOf } from "../../server/dicomweb/sop-instance-uid.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

const ct = syntheticCt(1, 16);
const [file = new Uint8Array()] = ct.instances();

describe("sopInstanceUidOf", () => {
  test("finds it, in a view as in a buffer of its own", () => {
    const larger = new Uint8Array(file.length + 9);
    larger.set(file, 5);
    expect(sopInstanceUidOf(file)).toBe(ct.sopInstanceUids[0]);
    expect(sopInstanceUidOf(larger.subarray(5, 5 + file.length))).toBe(ct.sopInstanceUids[0]);
  });

  test("the data set's own, where the file meta information has another", () => {
    const changed = new Uint8Array(file);
    const uid = Buffer.from(ct.sopInstanceUids[0] ?? "");
    const inMeta = Buffer.from(changed).indexOf(uid);
    changed.fill(0x31, inMeta + uid.length - 4, inMeta + uid.length);
    expect(firstText(readPart10(changed).meta, "MediaStorageSOPInstanceUID")).not.toBe(ct.sopInstanceUids[0]);
    expect(sopInstanceUidOf(changed)).toBe(ct.sopInstanceUids[0]);
  });

  test.each([
    ["nothing", new Uint8Array()],
    ["a page", new TextEncoder().encode("<html></html>".repeat(40))],
    ["a magic number alone", file.slice(0, 132)],
    ["a file that is cut before it", file.slice(0, 200)],
  ])("%s has none", (_, bytes) => {
    expect(sopInstanceUidOf(bytes)).toBeUndefined();
  });
});

describeWithData("sopInstanceUidOf of real files, in every transfer syntax", () => {
  test.each([
    ["ct_abdomen_crlm1004", "dicom"],
    ["ct_abdomen_j2k_totalseg", "dicom_with_uids"],
    ["transfer_syntaxes_mr_dcm_qa_ts", "In"],
    ["mr_t1_enhanced_siemens_xa30", "dicom"],
  ])("%s: what the full reader finds", (...folder) => {
    const files = readSeries(...folder);
    expect(files.length).toBeGreaterThan(0);
    for (const bytes of files) {
      const { dataSet } = readPart10(bytes, { stopBeforePixels: true });
      expect(sopInstanceUidOf(bytes)).toBe(firstText(dataSet, "SOPInstanceUID"));
    }
  });
});
