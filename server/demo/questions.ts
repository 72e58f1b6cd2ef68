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
 * What the demo asks: "skull" on the CT and "hippocampus" on the MR. The built-in models know both. With `weights` (a folder
 * of brainchop's networks) MeshNet is installed too, and answers where its figures are better.
 */
export async function demoQuestions(
  studies: readonly DemoStudy[],
  store: ModelStore,
  { weights, signal }: { readonly weights?: string; readonly signal: AbortSignal },
): Promise<readonly DemoQuestion[]> {
  if (weights !== undefined) await store.pull("brain-t1", { signal, from: weights });
  return [
    { study: studyOf(studies, "CT"), prompt: "skull", name: "ct-skull" },
    { study: studyOf(studies, "MR"), prompt: "hippocampus", name: "mr-hippocampus" },
  ];
}

function studyOf(studies: readonly DemoStudy[], modality: string): DemoStudy {
  const study = studies.find((one) => one.modality === modality);
  if (!study) throw new Error(`there is no ${modality} demo study`);
  return study;
}
