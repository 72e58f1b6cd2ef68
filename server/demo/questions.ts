import { DomainError } from "#converters/errors.ts";
import type { ModelStore } from "#models/index.ts";
import type { DemoStudy } from "./demo-studies.ts";

/** One prompt on one study. */
export interface DemoQuestion {
  readonly study: DemoStudy;
  readonly prompt: string;
  /** Name of its report files. */
  readonly name: string;
}

/**
 * What the demo asks: "skull" on the CT and "hippocampus" on the MR. The MR needs a trained network whose weights are
 * fetched; where they cannot be had, another prompt on the CT takes its place, and `say` tells why.
 */
export async function demoQuestions(
  studies: readonly DemoStudy[],
  store: ModelStore,
  { weights, signal, say }: { readonly weights?: string; readonly signal: AbortSignal; say(line: string): void },
): Promise<readonly DemoQuestion[]> {
  const ct = studyOf(studies, "CT");
  const mr = studyOf(studies, "MR");
  const skull = { study: ct, prompt: "skull", name: "ct-skull" };
  try {
    await store.pull("brain-t1", { signal, ...(weights && { from: weights }) });
    return [skull, { study: mr, prompt: "hippocampus", name: "mr-hippocampus" }];
  } catch (error) {
    if (signal.aborted || !(error instanceof DomainError)) throw error;
    say(`The network for T1 brain MR cannot be had: ${error.message}`);
    say('Asking for "soft tissue" on the CT instead of "hippocampus" on the MR.');
    return [skull, { study: ct, prompt: "soft tissue", name: "ct-soft-tissue" }];
  }
}

function studyOf(studies: readonly DemoStudy[], modality: string): DemoStudy {
  const study = studies.find((one) => one.modality === modality);
  if (!study) throw new Error(`there is no ${modality} demo study`);
  return study;
}
