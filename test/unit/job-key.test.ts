import fc from "fast-check";
import { expect, test } from "vitest";
import { deterministicUid, jobKey } from "#server/domain/index.ts";

const question = {
  sopInstanceUids: ["1.2.3", "1.2.4", "1.2.5"],
  modelSha256: "ab".repeat(32),
  prompts: [{ text: "skull" }],
  options: { merge: "exclusive", probabilities: false },
};

test("the order in which instances and options arrive does not change the key", () => {
  const shuffled = {
    ...question,
    sopInstanceUids: ["1.2.5", "1.2.3", "1.2.4"],
    options: { probabilities: false, merge: "exclusive" },
  };
  expect(jobKey(shuffled)).toBe(jobKey(question));
});

test("another instance, model, prompt, order of prompts or option is another question", () => {
  const others = [
    { ...question, sopInstanceUids: ["1.2.3", "1.2.4"] },
    { ...question, modelSha256: "cd".repeat(32) },
    { ...question, prompts: [{ text: "bone" }] },
    { ...question, prompts: [{ text: "skull", code: { value: "89546000", scheme: "SCT", meaning: "Skull" } }] },
    { ...question, prompts: [{ text: "skull" }, { text: "lung" }] },
    { ...question, prompts: [{ text: "lung" }, { text: "skull" }] },
    { ...question, options: { merge: "overlapping", probabilities: false } },
  ];
  expect(new Set([question, ...others].map(jobKey)).size).toBe(others.length + 1);
});

test("a UID follows from its key and role, and is a valid UUID-derived UID (PS3.5 B.2)", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (key, role) => {
      const uid = deterministicUid(key, role);
      expect(deterministicUid(key, role)).toBe(uid);
      expect(uid).toMatch(/^2\.25\.(0|[1-9]\d{0,38})$/);
      const uuid = BigInt(uid.slice(5)).toString(16).padStart(32, "0");
      expect(uuid[12]).toBe("8");
      expect("89ab").toContain(uuid[16]);
    }),
  );
});

test("key and role cannot be exchanged", () => {
  expect(deterministicUid("series", "instance")).not.toBe(deterministicUid("instance", "series"));
});
