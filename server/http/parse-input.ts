import type { z } from "zod";
import type { InputOf, Route } from "#server/contract/index.ts";
import { type InputIssue, InvalidInputError } from "./http-error.ts";

/** The parts of a request as they arrived. */
export interface RawInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly body?: unknown;
}

/**
 * A request's parts, parsed by the contract.
 * @throws InvalidInputError that lists everything that does not fit
 */
export function parseInput<R extends Route>(route: R, raw: RawInput): InputOf<R> {
  const issues: InputIssue[] = [];
  const read = (part: keyof RawInput, schema: z.ZodType | undefined) => {
    if (!schema) return undefined;
    const parsed = schema.safeParse(raw[part]);
    if (!parsed.success) issues.push(...describe(part, parsed.error));
    return parsed.data;
  };
  const parsed = {
    params: read("params", route.params),
    query: read("query", route.query),
    headers: read("headers", route.headers),
    body: read("body", "body" in route ? route.body : undefined),
  };
  if (issues.length > 0) throw new InvalidInputError(issues);
  // The schemas above are the ones that InputOf is inferred from; a loop over names cannot show it to the compiler.
  return parsed as InputOf<R>;
}

/** The form fields of an upload. @throws InvalidInputError */
export function parseFields<S extends z.ZodType>(schema: S, fields: unknown): z.output<S> {
  const parsed = schema.safeParse(fields);
  if (!parsed.success) throw new InvalidInputError(describe("form", parsed.error));
  return parsed.data;
}

function describe(part: string, error: z.ZodError): readonly InputIssue[] {
  return error.issues.map(({ path, message }) => ({ at: [part, ...path.map(String)].join("."), message }));
}
