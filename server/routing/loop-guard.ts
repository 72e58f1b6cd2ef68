import { equipment, IMPLEMENTATION_CLASS_UID } from "#converters/dicom/index.ts";
import type { SeriesFacts } from "./series-facts.ts";

/** What must never be routed, whatever the rules say: results would be asked about for ever. */
export interface LoopGuard {
  /** Nothing else is ever routed. */
  readonly modalities: readonly string[];
  /** Whether this program stored an instance of the series. */
  isOurs(seriesInstanceUid: string): Promise<boolean>;
}

/** Four independent reasons not to route a series, each enough by itself (the fourth, derived images, is the rules'). */
export async function whyNever(facts: SeriesFacts, guard: LoopGuard): Promise<string | undefined> {
  return notAnImage(facts, guard) ?? madeByUs(facts) ?? (await storedByUs(facts, guard));
}

/** Results are SEG, SR, and the like: none is a modality that is routed. */
export function notAnImage(
  { modality }: SeriesFacts,
  { modalities }: Pick<LoopGuard, "modalities">,
): string | undefined {
  if (modalities.includes(modality)) return undefined;
  return `modality ${modality || "unknown"} is not routed (PARSE3D_ROUTING_MODALITIES: ${modalities.join(", ")})`;
}

/** Also where another archive has passed a result on: the manufacturer stays, the implementation may not. */
export function madeByUs({ tags, implementationClassUid }: SeriesFacts): string | undefined {
  const manufacturer = tags.get("Manufacturer")?.[0];
  if (manufacturer === equipment.Manufacturer) return "its Manufacturer is this program";
  if (implementationClassUid === IMPLEMENTATION_CLASS_UID) return "its file was written by this program";
  return undefined;
}

export async function storedByUs(
  { series }: SeriesFacts,
  { isOurs }: Pick<LoopGuard, "isOurs">,
): Promise<string | undefined> {
  return (await isOurs(series.seriesInstanceUid)) ? "this program stored it" : undefined;
}
