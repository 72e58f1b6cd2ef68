import { categoryOf, concept } from "./code-table.ts";
import type { CodedConcept } from "./coded-concept.ts";
import { phraseKey } from "./phrase.ts";

/** What people write for a thing that the context groups of PS3.16 call otherwise, or do not know. */
interface Alias {
  readonly phrases: string;
  /** "value scheme meaning", as the table has it. */
  readonly type: string;
  /** Where the context groups put the type in no category, or in another than is meant here. */
  readonly category?: string;
  readonly side?: "left" | "right";
  readonly region?: string;
  /** The code says less than the phrase. */
  readonly broader?: true;
}

export interface Meaning {
  readonly category: CodedConcept;
  readonly type: CodedConcept;
  readonly side?: "left" | "right";
  readonly region?: CodedConcept;
  readonly broader: boolean;
}

const ABNORMAL = "49755003 SCT Morphologically Abnormal Structure";
const PHYSICAL = "260787004 SCT Physical object";
const SUBSTANCE = "105590001 SCT Substance";
const TISSUE = "85756007 SCT Tissue";
const LUNG = "39607008 SCT Lung";
const BRAIN = "12738006 SCT Brain";

/** Phrases are separated by commas; their order of words, number, case and accents do not matter. */
const ALIASES: readonly Alias[] = [
  // Tissues and densities
  { phrases: "skeleton, bone tissue, bony structures, osseous structures", type: "3138006 SCT Bone" },
  { phrases: "cranium, skull bone, cranial bone, calvarium, calvaria", type: "89546000 SCT Skull" },
  { phrases: "air, lucency of air", type: "15158005 SCT Air", category: SUBSTANCE },
  { phrases: "fatty tissue, adipose tissue, adipose", type: "55603005 SCT Fat" },
  { phrases: "subcutaneous fat", type: "71966008 SCT Subcutaneous tissue", broader: true },
  { phrases: "contrast, contrast medium, contrast media, contrast filled", type: "7140000 SCT Contrast agent" },
  {
    phrases: "contrast filled or calcified, contrast or calcification, contrast calcification, contrast and calcium",
    type: "85756007 SCT Tissue",
    category: TISSUE,
    broader: true,
  },
  { phrases: "calcification, calcified, calcium", type: "52988006 SCT Lesion", category: ABNORMAL, broader: true },
  {
    phrases: "metal, metallic object, metal object, hardware, metal implant",
    type: "19227008 SCT Foreign body",
    category: PHYSICAL,
    broader: true,
  },
  { phrases: "body, patient, body outline, body contour, whole body", type: "38266002 SCT Entire body" },
  { phrases: "airway, airways, airway tree, bronchial tree", type: "89187006 SCT Airway structure" },

  // Brain
  { phrases: "cortex, cortical gray matter, cerebral gray matter", type: "40146001 SCT Cerebral cortex" },
  { phrases: "caudate", type: "11000004 SCT Caudate Nucleus" },
  { phrases: "pallidum, globus pallidus", type: "14738005 SCT Globus Pallidus" },
  { phrases: "thalamus proper", type: "42695009 SCT Thalamus" },
  { phrases: "accumbens, nucleus accumbens", type: "427667007 SCT Nucleus Accumbens" },
  { phrases: "ventral dc, ventraldc, ventral diencephalon", type: "110700 DCM Ventral Diencephalon" },
  {
    phrases: "inferior lateral ventricle, temporal horn",
    type: "53118009 SCT Inferior Horn of Lateral Ventricle",
  },
  { phrases: "cerebellum cortex, cerebellar gray matter", type: "25991003 SCT Cerebellar Cortex" },
  { phrases: "cerebellum white matter", type: "33060004 SCT Cerebellar White Matter" },
  { phrases: "csf, liquor", type: "65216001 SCT Cerebrospinal Fluid" },
  { phrases: "ventricular system, ventricles, cerebral ventricle", type: "35764002 SCT Brain ventricle" },
  { phrases: "striatum", type: "31428008 SCT Corpus striatum" },
  { phrases: "pituitary gland, hypophysis", type: "56329008 SCT Pituitary" },
  {
    phrases: "white matter hyperintensity, wm hyperintensity, wmh, flair hyperintensity, wm hyperintensities flair",
    type: "110702 DCM White Matter T2 Hyperintensity",
    category: ABNORMAL,
  },
  {
    phrases: "white matter hypointensity, wm hypointensity, wm hyperintensities t1",
    type: "110701 DCM White Matter T1 Hypointensity",
    category: ABNORMAL,
  },

  // Trunk
  { phrases: "urinary bladder", type: "89837001 SCT Bladder" },
  { phrases: "gall bladder", type: "28231008 SCT Gallbladder" },
  { phrases: "adrenal", type: "23451007 SCT Adrenal gland" },
  { phrases: "small bowel", type: "30315005 SCT Small intestine" },
  { phrases: "large bowel, large intestine", type: "71854001 SCT Colon", broader: true },
  { phrases: "thyroid gland", type: "69748006 SCT Thyroid" },
  { phrases: "upper lung lobe, lung upper lobe, upper lobe", type: "45653009 SCT Upper lobe of lung" },
  { phrases: "lower lung lobe, lung lower lobe, lower lobe", type: "90572001 SCT Lower lobe of lung" },
  { phrases: "right middle lobe, middle lobe, rml", type: "72481006 SCT Middle lobe of right lung" },
  { phrases: "lul", type: "45653009 SCT Upper lobe of lung", side: "left" },
  { phrases: "rul", type: "45653009 SCT Upper lobe of lung", side: "right" },
  { phrases: "lll", type: "90572001 SCT Lower lobe of lung", side: "left" },
  { phrases: "rll", type: "90572001 SCT Lower lobe of lung", side: "right" },

  // Heart and vessels
  { phrases: "ivc, postcava", type: "64131007 SCT Inferior vena cava" },
  { phrases: "svc", type: "48345005 SCT Superior vena cava" },
  { phrases: "brachiocephalic trunk, brachiocephalic artery", type: "12691009 SCT Innominate artery" },
  { phrases: "brachiocephalic vein", type: "8887007 SCT Innominate vein" },
  { phrases: "left atrial appendage", type: "33626005 SCT Left auricular appendage" },
  { phrases: "right atrial appendage", type: "68300000 SCT Right auricular appendage" },
  { phrases: "aortic tree, aorta tree", type: "15825003 SCT Aorta", broader: true },
  { phrases: "vessel", type: "59820001 SCT Blood Vessel" },

  // Muscles and bones
  { phrases: "autochthon, autochthonous back muscle, erector spinae", type: "44947003 SCT Erector spinae muscle" },
  { phrases: "backbone, vertebral column, spinal column", type: "421060004 SCT Spine" },
  { phrases: "collarbone", type: "51299004 SCT Clavicle" },
  { phrases: "shoulder blade", type: "79601000 SCT Scapula" },
  { phrases: "thigh bone", type: "71341001 SCT Femur" },

  // Findings
  {
    phrases: "tumor, mass lesion, tumor mass, cancer, carcinoma, malignancy, neoplasia, gtv, glioma",
    type: "108369006 SCT Neoplasm",
  },
  { phrases: "primary tumor, primary cancer, cancer primary, gtvp", type: "372087000 SCT Neoplasm, Primary" },
  { phrases: "metastasis, secondary tumor", type: "14799000 SCT Neoplasm, Secondary" },
  { phrases: "bleeding, hematoma, bleed", type: "50960005 SCT Hemorrhage", broader: true },
  { phrases: "stroke lesion, stroke, infarct, infarction", type: "52988006 SCT Lesion", region: BRAIN, broader: true },
  { phrases: "enhancing tumor, enhancing tissue", type: "C113842 NCIt Enhancing Lesion", broader: true },
  { phrases: "non enhancing tumor, non enhancing tumor core", type: "C81175 NCIt Non-Enhancing Lesion", broader: true },
  { phrases: "necrotic core", type: "6574001 SCT Necrosis" },
  {
    phrases: "covid 19, covid 19 infection, covid infection, covid, pneumonia, ground glass opacity, infiltrate",
    type: "52988006 SCT Lesion",
    region: LUNG,
    broader: true,
  },
];

const byPhrase: ReadonlyMap<string, Meaning> = new Map(
  ALIASES.flatMap((alias) => {
    const meaning = meaningOf(alias);
    return alias.phrases.split(",").map((phrase) => [phraseKey(phrase), meaning] as const);
  }),
);

/** What the curated list says of a phrase of these words, in any order. */
export function meaningOfPhrase(words: readonly string[]): Meaning | undefined {
  return byPhrase.get(phraseKey(words.join(" ")));
}

function meaningOf({ type, category, side, region, broader }: Alias): Meaning {
  const named = lookUp(type);
  const kind = category === undefined ? categoryOf(named) : lookUp(category);
  if (kind === undefined) throw new RangeError(`${type} has no category`);
  return {
    category: kind,
    type: named,
    ...(side && { side }),
    ...(region !== undefined && { region: lookUp(region) }),
    broader: broader === true,
  };
}

/** @throws RangeError where the table has no such code, or gives it another meaning. */
function lookUp(text: string): CodedConcept {
  const [value = "", scheme = "", ...meaning] = text.split(" ");
  const found = concept(scheme, value);
  if (found.meaning !== meaning.join(" ")) throw new RangeError(`${text}: the table calls it ${found.meaning}`);
  return found;
}
