import type { LabelsManifest } from "./manifest.ts";

/** The 3 outputs of brainchop's model5_gw_ae, as upstream's colormap3.json spells them: a check that the weights are these. */
export const TISSUE_LABELS: readonly string[] = ["background", "White Matter", "Grey Matter"];

/** The same less background. Each holds all of the head's: of cerebrum, cerebellum and brain stem. */
export const TISSUE_CLASSES: LabelsManifest["classes"] = [
  {
    value: 1,
    name: "white matter",
    synonyms: ["wm"],
    code: { value: "389080008", scheme: "SCT", meaning: "White Matter" },
    side: "both",
  },
  {
    value: 2,
    name: "grey matter",
    synonyms: ["gray matter", "gm"],
    code: { value: "389081007", scheme: "SCT", meaning: "Gray Matter" },
    side: "both",
  },
];

export const TISSUE_COMPOSITES: LabelsManifest["composites"] = [
  {
    name: "brain",
    synonyms: ["whole brain", "brain mask", "brain tissue", "brain parenchyma"],
    code: { value: "12738006", scheme: "SCT", meaning: "Brain" },
    values: [1, 2],
  },
];
