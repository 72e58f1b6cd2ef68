import type { CodedConcept } from "#converters/dicom/index.ts";
import type { LabelsManifest } from "./manifest.ts";

type LabelClass = LabelsManifest["classes"][number];
type Composite = LabelsManifest["composites"][number];

const sct = (value: string, meaning: string): CodedConcept => ({ value, scheme: "SCT", meaning });
const dcm = (value: string, meaning: string): CodedConcept => ({ value, scheme: "DCM", meaning });

function paired(value: number, name: string, code: CodedConcept, ...synonyms: readonly string[]): LabelClass {
  return { value, name, synonyms, code, side: "both" };
}

function midline(value: number, name: string, code: CodedConcept, ...synonyms: readonly string[]): LabelClass {
  return { value, name, synonyms, code, side: "midline" };
}

/** The 18 outputs of brainchop's T1 networks less background, FreeSurfer's structures with sides joined; codes of PS3.16 CID 7140 and 7153. */
export const BRAIN_T1_CLASSES: readonly LabelClass[] = [
  paired(1, "cerebral white matter", sct("68523003", "Cerebral White Matter"), "white matter", "wm"),
  paired(
    2,
    "cerebral cortex",
    sct("40146001", "Cerebral cortex"),
    "cortex",
    "grey matter",
    "cerebral grey matter",
    "cortical ribbon",
    "gm",
  ),
  paired(3, "lateral ventricle", sct("66720007", "Lateral Ventricle")),
  paired(
    4,
    "inferior lateral ventricle",
    sct("53118009", "Inferior Horn of Lateral Ventricle"),
    "temporal horn",
    "inferior horn",
    "inferior horn of lateral ventricle",
    "temporal horn of lateral ventricle",
  ),
  paired(
    5,
    "cerebellar white matter",
    sct("33060004", "Cerebellar White Matter"),
    "cerebellum white matter",
    "white matter of cerebellum",
  ),
  paired(
    6,
    "cerebellar cortex",
    sct("25991003", "Cerebellar Cortex"),
    "cerebellum cortex",
    "cortex of cerebellum",
    "cerebellar grey matter",
  ),
  paired(7, "thalamus", sct("42695009", "Thalamus"), "thalamus proper"),
  paired(8, "caudate", sct("11000004", "Caudate Nucleus"), "caudate nucleus", "nucleus caudatus"),
  paired(9, "putamen", sct("89278009", "Putamen")),
  paired(10, "pallidum", sct("14738005", "Globus Pallidus"), "globus pallidus"),
  midline(11, "third ventricle", sct("49841001", "Third ventricle"), "3rd ventricle", "ventricle 3"),
  midline(12, "fourth ventricle", sct("35918002", "Fourth Ventricle"), "4th ventricle", "ventricle 4"),
  midline(13, "brain stem", sct("119238007", "Brain Stem"), "brainstem"),
  paired(14, "hippocampus", sct("5366008", "Hippocampus"), "hippocampal formation"),
  paired(15, "amygdala", sct("4958002", "Amygdala"), "amygdaloid complex", "amygdaloid body"),
  paired(16, "nucleus accumbens", sct("427667007", "Nucleus Accumbens"), "accumbens", "accumbens area"),
  paired(17, "ventral diencephalon", dcm("110700", "Ventral Diencephalon"), "ventral dc", "ventraldc"),
];

/** Background and the classes, as upstream's colormap.json spells them: a check that the weights are these. */
export const BRAINCHOP_LABELS: readonly string[] = [
  "Unknown",
  "Cerebral-White-Matter",
  "Cerebral-Cortex",
  "Lateral-Ventricle",
  "Inferior-Lateral-Ventricle",
  "Cerebellum-White-Matter",
  "Cerebellum-Cortex",
  "Thalamus",
  "Caudate",
  "Putamen",
  "Pallidum",
  "3rd-Ventricle",
  "4th-Ventricle",
  "Brain-Stem",
  "Hippocampus",
  "Amygdala",
  "Accumbens-area",
  "VentralDC",
];

const ALL = BRAIN_T1_CLASSES.map(({ value }) => value);
const VENTRICLES = [3, 4, 11, 12];

export const BRAIN_T1_COMPOSITES: readonly Composite[] = [
  {
    name: "ventricles",
    synonyms: ["ventricular system", "brain ventricles", "cerebral ventricles"],
    code: sct("35764002", "Brain ventricle"),
    values: VENTRICLES,
  },
  { name: "cerebellum", synonyms: ["cerebellar"], code: sct("113305005", "Cerebellum"), values: [5, 6] },
  { name: "lentiform nucleus", synonyms: ["lenticular nucleus"], values: [9, 10] },
  { name: "striatum", synonyms: ["dorsal striatum", "caudate and putamen"], values: [8, 9] },
  { name: "basal ganglia", synonyms: ["basal nuclei", "striatum and pallidum"], values: [8, 9, 10] },
  {
    name: "deep grey matter",
    synonyms: ["subcortical grey matter", "deep grey nuclei"],
    values: [7, 8, 9, 10, 14, 15, 16],
  },
  {
    name: "cerebral hemisphere",
    synonyms: ["hemisphere", "cerebrum"],
    code: sct("372073000", "Cerebral hemisphere"),
    values: [1, 2, 8, 9, 10, 14, 15, 16],
  },
  {
    name: "brain",
    synonyms: ["whole brain", "brain mask"],
    code: sct("12738006", "Brain"),
    values: ALL,
  },
  {
    name: "brain tissue",
    synonyms: ["brain parenchyma", "brain without ventricles"],
    values: ALL.filter((value) => !VENTRICLES.includes(value)),
  },
];

/** Large structures that lie alike on both sides: where the mid-sagittal plane is read from. */
export const BRAIN_T1_PLANE_FROM: readonly number[] = [1, 2, 5, 6, 7, 8, 9, 10, 14, 15];
