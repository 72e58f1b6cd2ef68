import type { CodedConcept } from "#converters/dicom/index.ts";
import { BRAIN_T1_CLASSES } from "./brain-t1-classes.ts";
import type { LabelsManifest } from "./manifest.ts";

type LabelClass = LabelsManifest["classes"][number];

const sct = (value: string, meaning: string): CodedConcept => ({ value, scheme: "SCT", meaning });
const CORTEX = sct("40146001", "Cerebral cortex");

/** One region of the cortex: FreeSurfer's word for it, a person's, and others. */
interface Region {
  readonly label: string;
  readonly name: string;
  readonly synonyms?: readonly string[];
  /** Where there is one in DICOM's groups; the cortex' otherwise. */
  readonly code?: CodedConcept;
  readonly lobe: "frontal" | "parietal" | "temporal" | "occipital" | "cingulate" | "insula";
}

/** The Desikan-Killiany atlas in upstream's order, which is the same on both sides; lobes as FreeSurfer groups them. */
const REGIONS: readonly Region[] = [
  { label: "bankssts", name: "banks of superior temporal sulcus", synonyms: ["bankssts"], lobe: "temporal" },
  { label: "caudalanteriorcingulate", name: "caudal anterior cingulate cortex", lobe: "cingulate" },
  { label: "caudalmiddlefrontal", name: "caudal middle frontal gyrus", lobe: "frontal" },
  { label: "cuneus", name: "cuneus", lobe: "occipital" },
  { label: "entorhinal", name: "entorhinal cortex", code: sct("3937002", "Entorhinal Cortex"), lobe: "temporal" },
  { label: "fusiform", name: "fusiform gyrus", lobe: "temporal" },
  { label: "inferiorparietal", name: "inferior parietal cortex", lobe: "parietal" },
  { label: "inferiortemporal", name: "inferior temporal gyrus", lobe: "temporal" },
  { label: "isthmuscingulate", name: "isthmus of cingulate gyrus", synonyms: ["isthmus cingulate"], lobe: "cingulate" },
  { label: "lateraloccipital", name: "lateral occipital cortex", lobe: "occipital" },
  { label: "lateralorbitofrontal", name: "lateral orbitofrontal cortex", lobe: "frontal" },
  { label: "lingual", name: "lingual gyrus", lobe: "occipital" },
  { label: "medialorbitofrontal", name: "medial orbitofrontal cortex", lobe: "frontal" },
  { label: "middletemporal", name: "middle temporal gyrus", lobe: "temporal" },
  { label: "parahippocampal", name: "parahippocampal gyrus", lobe: "temporal" },
  { label: "paracentral", name: "paracentral lobule", lobe: "frontal" },
  { label: "parsopercularis", name: "pars opercularis", lobe: "frontal" },
  { label: "parsorbitalis", name: "pars orbitalis", lobe: "frontal" },
  { label: "parstriangularis", name: "pars triangularis", lobe: "frontal" },
  { label: "pericalcarine", name: "pericalcarine cortex", lobe: "occipital" },
  { label: "postcentral", name: "postcentral gyrus", lobe: "parietal" },
  { label: "posteriorcingulate", name: "posterior cingulate cortex", lobe: "cingulate" },
  { label: "precentral", name: "precentral gyrus", lobe: "frontal" },
  { label: "precuneus", name: "precuneus", lobe: "parietal" },
  { label: "rostralanteriorcingulate", name: "rostral anterior cingulate cortex", lobe: "cingulate" },
  { label: "rostralmiddlefrontal", name: "rostral middle frontal gyrus", lobe: "frontal" },
  { label: "superiorfrontal", name: "superior frontal gyrus", lobe: "frontal" },
  { label: "superiorparietal", name: "superior parietal cortex", lobe: "parietal" },
  { label: "superiortemporal", name: "superior temporal gyrus", lobe: "temporal" },
  { label: "supramarginal", name: "supramarginal gyrus", lobe: "parietal" },
  { label: "frontalpole", name: "frontal pole", lobe: "frontal" },
  { label: "temporalpole", name: "temporal pole", lobe: "temporal" },
  {
    label: "transversetemporal",
    name: "transverse temporal gyrus",
    synonyms: ["heschl's gyrus", "heschl gyrus"],
    lobe: "temporal",
  },
  { label: "insula", name: "insula", synonyms: ["insular cortex"], code: sct("36169008", "Insula"), lobe: "insula" },
];

type Place = readonly [label: string, side: LabelClass["side"], name: string];

/** What follows the cortex, in upstream's order; names, codes and synonyms are those of the network of 18 classes. */
const DEEP: readonly Place[] = [
  ["Left-Thalamus-Proper*", "left", "thalamus"],
  ["Right-Thalamus-Proper*", "right", "thalamus"],
  ["Left-Caudate", "left", "caudate"],
  ["Right-Caudate", "right", "caudate"],
  ["Left-Putamen", "left", "putamen"],
  ["Right-Putamen", "right", "putamen"],
  ["Left-Pallidum", "left", "pallidum"],
  ["Right-Pallidum", "right", "pallidum"],
  ["Left-Hippocampus", "left", "hippocampus"],
  ["Right-Hippocampus", "right", "hippocampus"],
  ["Left-Amygdala", "left", "amygdala"],
  ["Right-Amygdala", "right", "amygdala"],
  ["Left-Accumbens-area", "left", "nucleus accumbens"],
  ["Right-Accumbens-area", "right", "nucleus accumbens"],
  ["Left-VentralDC", "left", "ventral diencephalon"],
  ["Right-VentralDC", "right", "ventral diencephalon"],
  ["Left-Cerebral-White-Matter", "left", "cerebral white matter"],
  ["Right-Cerebral-White-Matter", "right", "cerebral white matter"],
  ["Left-Lateral-Ventricle", "left", "lateral ventricle"],
  ["Left-Inf-Lat-Vent", "left", "inferior lateral ventricle"],
  ["Right-Lateral-Ventricle", "right", "lateral ventricle"],
  ["Right-Inf-Lat-Vent", "right", "inferior lateral ventricle"],
  ["3rd-Ventricle", "midline", "third ventricle"],
  ["4th-Ventricle", "midline", "fourth ventricle"],
  ["CSF", "midline", "cerebrospinal fluid"],
  ["Brain-Stem", "midline", "brain stem"],
  ["Left-Cerebellum-White-Matter", "left", "cerebellar white matter"],
  ["Right-Cerebellum-White-Matter", "right", "cerebellar white matter"],
  ["Left-Cerebellum-Cortex", "left", "cerebellar cortex"],
  ["Right-Cerebellum-Cortex", "right", "cerebellar cortex"],
  ["CC_Posterior", "midline", "posterior corpus callosum"],
  ["CC_Mid_Posterior", "midline", "mid posterior corpus callosum"],
  ["CC_Central", "midline", "central corpus callosum"],
  ["CC_Mid_Anterior", "midline", "mid anterior corpus callosum"],
  ["CC_Anterior", "midline", "anterior corpus callosum"],
];

const SIDES = [
  ["lh", "left"],
  ["rh", "right"],
] as const;

/** The 104 outputs of brainchop's model21_104class, as upstream's colormap.json spells them. */
export const REGION_LABELS: readonly string[] = [
  "BG",
  ...SIDES.flatMap(([side]) => REGIONS.map(({ label }) => `ctx-${side}-${label}`)),
  ...DEEP.map(([label]) => label),
];

/** The same less background, each with its side. */
export const REGION_CLASSES: LabelsManifest["classes"] = [
  ...SIDES.flatMap(([, side], s) =>
    REGIONS.map(
      ({ name, synonyms = [], code = CORTEX }, n): LabelClass => ({
        value: 1 + s * REGIONS.length + n,
        name,
        synonyms,
        code,
        side,
      }),
    ),
  ),
  ...DEEP.map(
    ([, side, name], n): LabelClass => ({ value: 1 + SIDES.length * REGIONS.length + n, name, ...deep(name), side }),
  ),
];

function deep(name: string): Pick<LabelClass, "synonyms" | "code"> {
  const known = BRAIN_T1_CLASSES.find((one) => one.name === name);
  if (known) return { synonyms: known.synonyms, code: known.code };
  if (name === "cerebrospinal fluid") return { synonyms: ["csf"], code: sct("65216001", "Cerebrospinal Fluid") };
  return { synonyms: [], code: sct("88442005", "Corpus callosum") };
}

const valuesOf = (...names: readonly string[]) =>
  REGION_CLASSES.filter(({ name }) => names.includes(name)).map(({ value }) => value);
const cortexOf = (...lobes: readonly Region["lobe"][]) =>
  valuesOf(...REGIONS.filter(({ lobe }) => lobes.includes(lobe)).map(({ name }) => name));

const FLUID = valuesOf(
  "lateral ventricle",
  "inferior lateral ventricle",
  "third ventricle",
  "fourth ventricle",
  "cerebrospinal fluid",
);

export const REGION_COMPOSITES: LabelsManifest["composites"] = [
  {
    name: "cerebral cortex",
    synonyms: ["cortex", "grey matter", "cerebral grey matter", "cortical ribbon", "gm"],
    code: CORTEX,
    values: cortexOf("frontal", "parietal", "temporal", "occipital", "cingulate", "insula"),
  },
  { name: "frontal cortex", synonyms: ["cortex of frontal lobe"], code: CORTEX, values: cortexOf("frontal") },
  { name: "parietal cortex", synonyms: ["cortex of parietal lobe"], code: CORTEX, values: cortexOf("parietal") },
  { name: "temporal cortex", synonyms: ["cortex of temporal lobe"], code: CORTEX, values: cortexOf("temporal") },
  { name: "occipital cortex", synonyms: ["cortex of occipital lobe"], code: CORTEX, values: cortexOf("occipital") },
  { name: "cingulate cortex", synonyms: ["cingulate gyrus"], code: CORTEX, values: cortexOf("cingulate") },
  {
    name: "corpus callosum",
    synonyms: ["callosum"],
    code: sct("88442005", "Corpus callosum"),
    values: REGION_CLASSES.filter(({ name }) => name.endsWith("corpus callosum")).map(({ value }) => value),
  },
  {
    name: "ventricles",
    synonyms: ["ventricular system", "brain ventricles", "cerebral ventricles"],
    code: sct("35764002", "Brain ventricle"),
    values: FLUID.filter((value) => !valuesOf("cerebrospinal fluid").includes(value)),
  },
  {
    name: "cerebellum",
    synonyms: ["cerebellar"],
    code: sct("113305005", "Cerebellum"),
    values: valuesOf("cerebellar white matter", "cerebellar cortex"),
  },
  { name: "basal ganglia", synonyms: ["basal nuclei"], values: valuesOf("caudate", "putamen", "pallidum") },
  {
    name: "brain",
    synonyms: ["whole brain", "brain mask"],
    code: sct("12738006", "Brain"),
    values: REGION_CLASSES.map(({ value }) => value),
  },
  {
    name: "brain tissue",
    synonyms: ["brain parenchyma", "brain without ventricles"],
    values: REGION_CLASSES.map(({ value }) => value).filter((value) => !FLUID.includes(value)),
  },
];
