import { expect, test } from "vitest";
import { hashUid, type LogFields } from "../../server/logger.ts";
import { createLogReader } from "../fixtures/log-reader.ts";

const uid = "1.2.840.113619.2.55.3.604688119";

test("an event is one line of JSON with a time, its name first, and data as fields", () => {
  const { logger, text, lines } = createLogReader();
  logger.info({ event: "series.decoded", slices: 120, ms: 842 });
  expect(text().endsWith("}\n")).toBe(true);
  expect(lines()).toEqual([{ level: 30, time: expect.any(String), event: "series.decoded", slices: 120, ms: 842 }]);
});

test("what looks like a patient does not reach the log, whatever it is called", () => {
  const { logger, text, lines } = createLogReader();
  // Typed callers cannot write this; a cast, or data that came as unknown, can.
  const careless: object = {
    event: "series.decoded",
    slices: 120,
    PatientName: "Doe^Jane",
    patientId: "4711",
    birthDate: "19700101",
    prompt: "left kidney tumour",
    header: { patient: { PatientName: "Doe^Jane" } },
    status: { nested: "Doe^Jane" },
    reason: ["Doe^Jane"],
    seriesInstanceUid: uid,
  };
  logger.info(careless as LogFields);
  const named: object = { jobId: "j", PatientName: "Doe^Jane" };
  logger.child(named).warn({ event: "x" });
  for (const secret of ["Doe", "4711", "1970", "kidney", uid]) expect(text()).not.toContain(secret);
  expect(lines()[0]).toMatchObject({ event: "series.decoded", slices: 120 });
  expect(lines()[1]).toMatchObject({ event: "x", jobId: "j" });
});

test("a UID in any text is hashed: in a reason, an error's message, its stack and its cause", () => {
  const { logger, text } = createLogReader();
  const error = new Error(`no such series ${uid}`, { cause: new Error(`GET /series/${uid}/instances`) });
  logger.error({ event: "job.broke", reason: `see ${uid}`, err: error });
  logger.error({ event: "job.broke", err: `thrown text ${uid}` });
  expect(text()).not.toContain(uid);
  expect(text()).toContain(`uid:${hashUid(uid)}`);
  expect(text()).toContain("no such series");
  expect(text()).toContain("logger.test.ts");
});

test("addresses and versions are no UIDs", () => {
  const { logger, lines } = createLogReader();
  logger.info({ event: "http.listening", host: "127.0.0.1", version: "1.12.11" });
  expect(lines()[0]).toMatchObject({ host: "127.0.0.1", version: "1.12.11" });
});

test("a hashed UID is the same word each time, and another for another", () => {
  expect(hashUid(uid)).toBe(hashUid(uid));
  expect(hashUid(uid)).not.toBe(hashUid(`${uid}.1`));
  expect(hashUid(uid)).toMatch(/^[0-9a-f]{12}$/);
});

test("a child adds to what its parent is bound to", () => {
  const { logger, lines } = createLogReader();
  logger.child({ requestId: "r" }).child({ jobId: "j" }).debug({ event: "x", requestId: "r2" });
  expect(lines()[0]).toMatchObject({ requestId: "r2", jobId: "j" });
});
