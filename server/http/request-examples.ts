import type { Contract, SubmitJob } from "#server/contract/index.ts";

const submitJob: SubmitJob = {
  studyInstanceUid: "1.2.826.0.1.3680043.8.498.1",
  seriesInstanceUid: "1.2.826.0.1.3680043.8.498.2",
  prompts: ["skull", "left kidney"],
};

/** Request bodies to start from, for the documentation. */
export const requestExamples: { readonly [Name in keyof Contract]?: typeof submitJob } = { submitJob };
