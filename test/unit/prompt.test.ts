import { expect, test } from "vitest";
import { InvalidPromptError, longestPrompt, mostPrompts, promptsFrom } from "#server/domain/index.ts";

test("prompts are numbered in their order and white space is folded", () => {
  expect(promptsFrom([{ text: "  left \n kidney " }, { text: "liver" }])).toEqual([
    { id: "p1", text: "left kidney" },
    { id: "p2", text: "liver" },
  ]);
});

test("the caller's own code goes along", () => {
  const code = { value: "64033007", scheme: "SCT", meaning: "Kidney" };
  expect(promptsFrom([{ text: "kidney", code }])[0]?.code).toEqual(code);
});

test.each([
  ["no prompt", []],
  ["an empty prompt", [{ text: "" }]],
  ["a blank prompt", [{ text: " \t\n " }]],
  ["10,000 characters", [{ text: "a".repeat(10_000) }]],
  ["one character too many", [{ text: "a".repeat(longestPrompt + 1) }]],
  ["a control character", [{ text: "liver\u0000" }]],
  ["the same prompt twice", [{ text: "liver" }, { text: " LIVER" }]],
  ["too many prompts", Array.from({ length: mostPrompts + 1 }, (_, n) => ({ text: `organ ${n}` }))],
])("%s is refused", (_, prompts) => {
  expect(() => promptsFrom(prompts)).toThrow(InvalidPromptError);
});

test("a refusal does not repeat the prompt, which may hold anything", () => {
  const secret = `Doe^Jane ${"x".repeat(400)}`;
  expect(() => promptsFrom([{ text: secret }])).toThrow(/^(?!.*Doe).*$/su);
});
