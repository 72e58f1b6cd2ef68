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
const VERTEBRA = "51282000 SCT Vertebra";
const CELL = "4421005 SCT Cell";

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
  { phrases: "encephalon", type: BRAIN },
  { phrases: "chiasm", type: "244453006 SCT Optic chiasm" },
  { phrases: "medulla spinalis", type: "2748008 SCT Spinal cord" },
  { phrases: "pituitary gland, hypophysis", type: "56329008 SCT Pituitary" },
  {
    phrases:
      "white matter hyperintensity, wm hyperintensity, wmh, white matter lesion, flair white matter hyperintensity, flair wm hyperintensity",
    type: "110702 DCM White Matter T2 Hyperintensity",
    category: ABNORMAL,
    region: BRAIN,
  },
  {
    phrases:
      "white matter hypointensity, wm hypointensity, t1 white matter hypointensity, t1 white matter hyperintensity, t1 wm hyperintensity",
    type: "110701 DCM White Matter T1 Hypointensity",
    category: ABNORMAL,
    region: BRAIN,
  },
  {
    phrases: "non enhancing flair hyperintensity, flair hyperintensity, surrounding flair hyperintensity",
    type: "RID39467 RADLEX T2 Hyperintensity",
    region: BRAIN,
    broader: true,
  },

  // Head and neck
  { phrases: "larynx glottic, glottic larynx", type: "1307006 SCT glottis" },
  { phrases: "larynx supraglottic, supraglottic larynx", type: "119255006 SCT supraglottis" },
  { phrases: "cervical esophagus", type: "32849002 SCT Esophagus", region: "45048000 SCT Neck" },
  { phrases: "cricopharyngeal inlet, cricopharyngeus", type: "81502006 SCT Hypopharynx", broader: true },
  {
    phrases: "arytenoid, arytenoid cartilage",
    type: "309312004 SCT Cartilage",
    region: "4596009 SCT Larynx",
    broader: true,
  },
  {
    phrases: "anterior eyeball, posterior eyeball, anterior eyeball segment, posterior eyeball segment",
    type: "79652003 SCT Eyeball",
    broader: true,
  },
  { phrases: "cochlea", type: "22945000 SCT Inner ear", broader: true },
  { phrases: "jugular vein", type: "12123001 SCT Internal jugular vein", broader: true },

  // Trunk
  { phrases: "urinary bladder", type: "89837001 SCT Bladder" },
  { phrases: "windpipe", type: "44567001 SCT Trachea" },
  { phrases: "caecum", type: "32713005 SCT Cecum" },
  { phrases: "sigmoid", type: "60184004 SCT Sigmoid colon" },
  { phrases: "transition zone", type: "399384005 SCT Transition zone of the prostate" },
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
  { phrases: "left auricle", type: "33626005 SCT Left auricular appendage" },
  { phrases: "lv, left heart ventricle", type: "87878005 SCT Left ventricle" },
  { phrases: "rv, right heart ventricle", type: "53085002 SCT Right ventricle" },
  { phrases: "la, left heart atrium", type: "82471001 SCT Left atrium" },
  { phrases: "ra, right heart atrium", type: "73829009 SCT Right atrium" },
  { phrases: "cerebral arterial circle", type: "11279006 SCT Circle of Willis" },
  { phrases: "portal splenic vein", type: "110765007 SCT Portal vein and splenic vein" },
  { phrases: "heart muscle, cardiac muscle", type: "74281007 SCT Myocardium" },

  // Muscles and bones
  { phrases: "autochthon, autochthonous back muscle, erector spinae", type: "44947003 SCT Erector spinae muscle" },
  { phrases: "gluteus maximus", type: "181674001 SCT Gluteus maximus muscle" },
  { phrases: "gluteus medius", type: "78333006 SCT Gluteus medius muscle" },
  { phrases: "gluteus minimus", type: "75297007 SCT Gluteus minimus muscle" },
  { phrases: "iliopsoas", type: "68455001 SCT Iliopsoas muscle" },
  { phrases: "soleus, soleus muscle", type: "7:932 MDC Musculus soleus" },
  { phrases: "gastrocnemius, gastrocnemius muscle", type: "7:920 MDC Musculus gastrocnemius" },
  {
    phrases: "gastrocnemius medialis, medial gastrocnemius, medial gastrocnemius muscle, medial head gastrocnemius",
    type: "7:928 MDC Musculus gastrocnemius Caput mediale",
  },
  {
    phrases: "gastrocnemius lateralis, lateral gastrocnemius, lateral gastrocnemius muscle, lateral head gastrocnemius",
    type: "7:924 MDC Musculus gastrocnemius Caput laterale",
  },
  { phrases: "cervical vertebrae", type: VERTEBRA, region: "122494005 SCT Cervical spine" },
  { phrases: "thoracic vertebrae", type: VERTEBRA, region: "122495006 SCT Thoracic spine" },
  { phrases: "lumbar vertebrae", type: VERTEBRA, region: "122496007 SCT Lumbar spine" },
  { phrases: "s1, vertebra s1, first sacral vertebra", type: "65985001 SCT S1 vertebra" },
  { phrases: "spinal canal", type: "61853006 SCT Vertebral canal" },
  {
    phrases: "intervertebral disc, disc, spinal disc, vertebral disc, intervertebral disk, spinal disk",
    type: "421060004 SCT Spine",
    broader: true,
  },
  { phrases: "backbone, vertebral column, spinal column", type: "421060004 SCT Spine" },
  { phrases: "hip bone", type: "29836001 SCT Hip" },
  { phrases: "collarbone, collar bone", type: "51299004 SCT Clavicle" },
  { phrases: "shoulder blade", type: "79601000 SCT Scapula" },
  { phrases: "thigh bone", type: "71341001 SCT Femur" },

  // Findings
  {
    phrases: "tumor, mass lesion, tumor mass, cancer, malignancy, neoplasia, glioma",
    type: "108369006 SCT Neoplasm",
  },
  {
    phrases: "adrenocortical carcinoma, adrenal carcinoma",
    type: "1187425009 SCT Carcinoma",
    region: "23451007 SCT Adrenal gland",
  },
  { phrases: "gross tumor volume, gtv tumor", type: "228791009 SCT GTV" },
  { phrases: "gtvp, gtvp tumor, primary gross tumor volume", type: "130052 DCM GTV Primary" },
  { phrases: "gtvn, gtvn tumor, nodal gross tumor volume", type: "130051 DCM GTV Nodal" },
  {
    phrases:
      "vestibular schwannoma, acoustic neuroma, vestibular schwannoma extra meatal, extrameatal vestibular schwannoma",
    type: "108369006 SCT Neoplasm",
    region: "8598002 SCT vestibulocochlear nerve",
    broader: true,
  },
  {
    phrases: "vestibular schwannoma intra meatal, intrameatal vestibular schwannoma",
    type: "108369006 SCT Neoplasm",
    region: "361078006 SCT Internal Auditory Canal",
    broader: true,
  },
  { phrases: "lymphadenopathy, enlarged lymph node", type: "59441001 SCT Lymph Node", broader: true },
  { phrases: "primary tumor, primary cancer, cancer primary", type: "372087000 SCT Neoplasm, Primary" },
  { phrases: "metastasis, secondary tumor", type: "14799000 SCT Neoplasm, Secondary" },
  { phrases: "bleeding, hematoma, bleed", type: "50960005 SCT Hemorrhage", broader: true },
  {
    phrases: "stroke lesion, stroke, brain infarct, cerebral infarct, brain infarction, cerebral infarction",
    type: "230690007 SCT Cerebrovascular Accident or Stroke",
    region: BRAIN,
  },
  { phrases: "infarct, infarction, ischemic lesion", type: "52988006 SCT Lesion", broader: true },
  { phrases: "enhancing tissue", type: "C113842 NCIt Enhancing Lesion", region: BRAIN },
  { phrases: "enhancing tumor", type: "C113842 NCIt Enhancing Lesion", broader: true },
  { phrases: "non enhancing tumor core", type: "C81175 NCIt Non-Enhancing Lesion", region: BRAIN },
  { phrases: "non enhancing tumor", type: "C81175 NCIt Non-Enhancing Lesion", broader: true },
  { phrases: "resection cavity, surgical cavity", type: "52988006 SCT Lesion", broader: true },
  { phrases: "alzheimer s plaque, amyloid plaque", type: "52988006 SCT Lesion", region: BRAIN, broader: true },
  { phrases: "necrotic core", type: "6574001 SCT Necrosis" },
  {
    phrases:
      "covid 19, covid 19 infection, covid infection, covid, covid 19 pneumonia, pneumonia, ground glass opacity",
    type: "47351003 SCT Infiltrate",
    region: LUNG,
    broader: true,
  },

  // Under the microscope
  {
    phrases:
      "endolysosome, mitochondria, mitochondrion, neuronal ultrastructure, neuronal structure, axon, synaptic cleft",
    type: CELL,
    broader: true,
  },
  { phrases: "brain neural activity, neural activity", type: TISSUE, category: TISSUE, region: BRAIN, broader: true },
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
