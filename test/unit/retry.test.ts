import { expect, test } from "vitest";
import { PacsTimeoutError, PacsUnavailableError } from "#server/domain/errors.ts";
import { TransientPacsError } from "../../server/dicomweb/pacs-fault.ts";
import { retryAfterMs, retrying } from "../../server/dicomweb/retry.ts";

const policy = { attempts: 4, firstDelayMs: 8, maxDelayMs: 20 };
const { signal } = new AbortController();

/** Fails with these, one after the other, then answers. */
function failing(...faults: Error[]) {
  let sent = 0;
  const attempt = async () => {
    const fault = faults[sent++];
    if (fault) throw fault;
    return "answer";
  };
  return { attempt, sent: () => sent };
}

const transient = (retryAfter?: number) => new TransientPacsError("broken", { retryAfterMs: retryAfter });

test("transient faults are tried again, with delays that double up to the longest", async () => {
  const { attempt, sent } = failing(transient(), transient(), transient());
  const delays: number[] = [];
  expect(await retrying(policy, signal, attempt, (_, delayMs) => delays.push(delayMs))).toBe("answer");
  expect(sent()).toBe(4);
  for (const [n, longest] of [8, 16, 20].entries()) {
    expect(delays[n]).toBeGreaterThanOrEqual(longest / 2);
    expect(delays[n]).toBeLessThanOrEqual(longest);
  }
});

test("what Retry-After asks for is waited, up to the longest delay", async () => {
  const delays: number[] = [];
  const { attempt } = failing(transient(15), transient(0));
  await retrying(policy, signal, attempt, (_, delayMs) => delays.push(delayMs));
  expect(delays).toEqual([15, 0]);
  const patient = failing(transient(21));
  await expect(retrying(policy, signal, patient.attempt)).rejects.toBeInstanceOf(TransientPacsError);
  expect(patient.sent()).toBe(1);
});

test("the last fault comes out when the attempts are used up", async () => {
  const last = transient();
  const { attempt, sent } = failing(transient(), transient(), transient(), last, transient());
  await expect(retrying(policy, signal, attempt)).rejects.toBe(last);
  expect(sent()).toBe(4);
});

test.each([
  ["a refusal", new PacsUnavailableError("401", { status: 401, retryable: false })],
  ["a time limit", new PacsTimeoutError("slow")],
  ["a mistake of ours", new TypeError("undefined is not a function")],
])("%s is not tried again", async (_, fault) => {
  const { attempt, sent } = failing(fault);
  await expect(retrying(policy, signal, attempt)).rejects.toBe(fault);
  expect(sent()).toBe(1);
});

test("an abort ends the waiting with the signal's reason", async () => {
  const stop = new AbortController();
  const { attempt, sent } = failing(transient(10_000));
  const trying = retrying({ ...policy, maxDelayMs: 60_000 }, stop.signal, attempt);
  setTimeout(() => stop.abort(new Error("stopped")), 5);
  await expect(trying).rejects.toThrow("stopped");
  expect(sent()).toBe(1);
});

test.each([
  ["120", 120_000],
  ["0", 0],
  [" 3 ", 3_000],
  ["Fri, 02 Jan 2026 03:05:05 GMT", 60_000],
  ["Fri, 02 Jan 2026 03:00:00 GMT", 0],
  ["soon", undefined],
  [undefined, undefined],
])("Retry-After: %s", (header, expected) => {
  expect(retryAfterMs(header, Date.parse("2026-01-02T03:04:05Z"))).toBe(expected);
});
