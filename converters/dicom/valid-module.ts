import type { SeriesFault } from "../errors.ts";
import type { Module } from "./attributes.ts";
import type { DataSet } from "./data-set.ts";
import { InstanceFault } from "./image-frame.ts";

/** The attributes of a module. @throws InstanceFault that names those which are absent or malformed */
export function validModule<T>(schema: Module<T>, dataSet: DataSet, reason: SeriesFault, advice: string): T {
  const parsed = schema.safeParse(dataSet);
  if (parsed.success) return parsed.data;
  throw new InstanceFault(reason, `lacks a valid ${parsed.attributes.join(", ")}`, advice);
}
