import { bothSides, type TargetGroup, target, targets } from "./target-group.ts";

export const MR_TARGETS: readonly TargetGroup[] = [
  {
    region: "abdomen and pelvis",
    targets: [
      ...targets("spleen", "liver", "gallbladder", "stomach", "pancreas", "duodenum"),
      target("small bowel", "small intestine"),
      target("colon", "large bowel", "large intestine"),
      target("esophagus", "oesophagus"),
      target("urinary bladder", "bladder"),
      ...targets("prostate", "uterus"),
    ],
  },
  {
    region: "colon segments",
    targets: [
      target("cecum", "caecum"),
      ...targets("appendix", "ascending colon", "transverse colon", "descending colon"),
      target("sigmoid colon", "sigmoid"),
      ...targets("rectum"),
    ],
  },
  {
    region: "genitourinary",
    targets: [
      target("prostate transition zone", "transition zone"),
      target("prostate lesion", "prostate tumor", "prostate cancer"),
    ],
  },
  {
    region: "heart",
    targets: [
      target("left ventricle", "lv", "left heart ventricle"),
      target("right ventricle", "rv", "right heart ventricle"),
      target("myocardium", "heart muscle"),
      target("left atrium", "la", "left heart atrium"),
      target("right atrium", "ra", "right heart atrium"),
    ],
  },
  { region: "thorax", targets: bothSides("lung") },
  {
    region: "vessels",
    targets: [
      ...targets("aorta", "pulmonary artery"),
      target("superior vena cava", "svc"),
      target("inferior vena cava", "ivc"),
      target("portal and splenic vein", "portal vein", "splenic vein"),
      ...bothSides("iliac artery", "iliac vein", "carotid artery", "jugular vein"),
      target("circle of willis", "cerebral arterial circle"),
    ],
  },
  {
    region: "neuro",
    targets: [
      target("brain", "encephalon"),
      target("brain tumor", "brain tumour"),
      target("stroke lesion", "infarct", "ischemic lesion"),
      target("gtvp tumor", "gtvp", "primary gross tumor volume"),
      target("gtvn tumor", "gtvn", "nodal gross tumor volume"),
      target("vestibular schwannoma intra-meatal", "intrameatal vestibular schwannoma"),
      target("vestibular schwannoma extra-meatal", "extrameatal vestibular schwannoma"),
      ...bothSides("cochlea"),
    ],
  },
  {
    region: "glioma",
    targets: [
      target("non-enhancing tumor core", "non-enhancing tumour core"),
      target("non-enhancing flair hyperintensity", "flair hyperintensity"),
      target("enhancing tissue", "enhancing tumor"),
      target("resection cavity", "surgical cavity"),
    ],
  },
  {
    region: "white matter",
    targets: [
      target("white matter hyperintensities flair", "white matter hyperintensities", "white matter lesions"),
      target("white matter hyperintensities t1", "white matter hypointensities t1"),
    ],
  },
  {
    region: "spine and musculoskeletal",
    targets: [
      ...targets("sacrum", "cervical vertebrae", "thoracic vertebrae", "lumbar vertebrae"),
      target("intervertebral disc", "discs", "intervertebral discs", "spinal disc"),
      ...targets("spinal canal", "spinal cord"),
      ...bothSides(
        "humerus",
        target("femur", "thigh bone"),
        target("hip", "hip bone"),
        "gluteus maximus",
        "gluteus medius",
        "gluteus minimus",
        target("autochthon", "autochthonous back muscle"),
        target("iliopsoas", "iliopsoas muscle"),
      ),
    ],
  },
];
