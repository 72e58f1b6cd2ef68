import { expect, test } from "vitest";
import { UnsupportedSeriesError } from "#converters/errors.ts";
import { GpuOutOfMemoryError, InvalidPromptError, ModelUnavailableError } from "#server/domain/index.ts";
import { RemoteModelError } from "../../server/engines/remote/remote-model-error.ts";
import { fromWire, isRefusal, toWire, WireErrorSchema } from "../../server/engines/wire-error.ts";

const across = (error: unknown) => fromWire(WireErrorSchema.parse(structuredClone(toWire(error))));

test("an error is of the same class, with the same facts, on the other side", () => {
  const prompt = across(new InvalidPromptError("ask otherwise", ["skull", "lung"]));
  expect(prompt).toBeInstanceOf(InvalidPromptError);
  expect(prompt).toMatchObject({ message: "ask otherwise", suggestions: ["skull", "lung"], retryable: false });

  const model = across(new ModelUnavailableError("files are damaged"));
  expect(model).toBeInstanceOf(ModelUnavailableError);
  expect(model).toMatchObject({ message: "files are damaged", retryable: true });
  const damaged = new ModelUnavailableError("files are damaged", { retryable: false });
  expect(across(damaged)).toMatchObject({ name: "ModelUnavailableError", retryable: false });

  const full = across(new GpuOutOfMemoryError("use the CPU"));
  expect(full).toBeInstanceOf(GpuOutOfMemoryError);
  expect(full).toMatchObject({ message: "use the CPU", code: "gpu-out-of-memory", retryable: true });

  const series = across(new UnsupportedSeriesError("unsupported-object", "too small", { extentMm: [1, 2, 3] }));
  expect(series).toBeInstanceOf(UnsupportedSeriesError);
  expect(series).toMatchObject({
    message: "too small",
    details: { reason: "unsupported-object", extentMm: [1, 2, 3] },
  });
});

test("what went wrong on another machine keeps its name and status, and leaves the process as it is", () => {
  const busy = across(new RemoteModelError("busy", "later", { status: 429 }));
  expect(busy).toBeInstanceOf(RemoteModelError);
  expect(busy).toMatchObject({ retryable: true, details: { fault: "busy", remoteStatus: 429 } });
  const gone = across(new RemoteModelError("model-missing", "load it"));
  expect(gone).toMatchObject({ retryable: false, code: "model-unavailable", details: { fault: "model-missing" } });
  expect(isRefusal(busy)).toBe(true);
});

test("a fault of the program stays one, and is no refusal", () => {
  const fault = across(new TypeError("undefined is not a function"));
  expect(fault.message).toContain("undefined is not a function");
  expect(isRefusal(fault)).toBe(false);
  expect(isRefusal(across("thrown text"))).toBe(false);
});

test("a question that was refused leaves the process as it is; a model that cannot run does not", () => {
  expect(isRefusal(new InvalidPromptError("x"))).toBe(true);
  expect(isRefusal(new UnsupportedSeriesError("wrong-modality", "x"))).toBe(true);
  expect(isRefusal(new ModelUnavailableError("x"))).toBe(false);
});
