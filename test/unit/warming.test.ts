import { expect, test } from "vitest";
import { watchWarming } from "../../server/warming.ts";

test("not ready until every model that is to be warm is; then it names them", () => {
  const warming = watchWarming(["a", "b"]);
  expect(() => warming.check()).toThrow("being loaded: a, b");
  warming.heard({ model: "b", state: "ready" });
  expect(() => warming.check()).toThrow("being loaded: a");
  warming.heard({ model: "a", state: "ready" });
  expect(warming.check()).toBe("a, b");
});

test("one that cannot be loaded is named with its reason, until it can", () => {
  const warming = watchWarming(["a"]);
  warming.heard({ model: "a", state: "failed", why: "it is not installed" });
  expect(() => warming.check()).toThrow("a is not warm: it is not installed");
  warming.heard({ model: "a", state: "ready" });
  expect(warming.check()).toBe("a");
});
