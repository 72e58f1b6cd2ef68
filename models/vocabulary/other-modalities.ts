import { type TargetGroup, target, targets } from "./target-group.ts";

export const ULTRASOUND_TARGETS: readonly TargetGroup[] = [
  {
    region: "heart",
    targets: [target("left ventricle", "lv"), target("myocardium", "heart muscle"), target("left atrium", "la")],
  },
  { region: "neck", targets: [target("thyroid", "thyroid gland"), ...targets("carotid artery", "jugular vein")] },
  { region: "neuro", targets: [target("brain tumor", "brain tumour")] },
  { region: "calf", targets: targets("soleus", "gastrocnemius medialis", "gastrocnemius lateralis") },
];

export const PET_TARGETS: readonly TargetGroup[] = [
  { region: "whole body", targets: [target("whole-body lesion", "lesion", "tumor lesion")] },
];

export const ELECTRON_MICROSCOPY_TARGETS: readonly TargetGroup[] = [
  {
    region: "cell",
    targets: [
      target("endolysosomes", "endolysosome"),
      target("mitochondria", "mitochondrion"),
      target("nuclei", "nucleus"),
      target("neuronal ultrastructure", "neuronal structures"),
      target("synaptic clefts", "synaptic cleft"),
      target("axon", "axons"),
    ],
  },
];

export const LIGHT_SHEET_TARGETS: readonly TargetGroup[] = [
  {
    region: "brain",
    targets: [
      target("brain neural activity", "neural activity"),
      target("alzheimer's plaque", "amyloid plaque"),
      target("nuclei", "nucleus"),
      target("vessel", "vessels", "blood vessel"),
    ],
  },
];
