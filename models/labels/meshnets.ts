import { BRAIN_T1_CLASSES, BRAIN_T1_COMPOSITES, BRAIN_T1_PLANE_FROM, BRAINCHOP_LABELS } from "./brain-t1-classes.ts";
import { REGION_CLASSES, REGION_COMPOSITES, REGION_LABELS } from "./brain-t1-regions.ts";
import { TISSUE_CLASSES, TISSUE_COMPOSITES, TISSUE_LABELS } from "./brain-t1-tissues.ts";
import type { LabelsManifest } from "./manifest.ts";

/** What is known of brainchop's networks of one list of classes. */
export interface MeshNetKind extends Pick<LabelsManifest, "title" | "classes" | "composites" | "sides"> {
  /** Upstream's folders of such weights. */
  readonly folders: string;
  /** Upstream's file that names the outputs, and what it says, background first. */
  readonly colorMap: string;
  readonly labels: readonly string[];
  /** What it labels, as a sentence goes on after "A trained network that". */
  readonly labelling: string;
  readonly sidesToldBy: string;
}

const BY_PLANE = "Left and right are told by a mid-sagittal plane fitted to its labels, not by the network.";

export const MESHNETS: readonly MeshNetKind[] = [
  {
    folders: "model30chan18cls or model18cls",
    colorMap: "colormap.json",
    labels: BRAINCHOP_LABELS,
    title: "Brain structures on T1 MR (MeshNet, brainchop)",
    labelling: "labels 17 structures of the brain on T1-weighted MR of the whole head",
    classes: BRAIN_T1_CLASSES,
    composites: BRAIN_T1_COMPOSITES,
    sides: { rule: "midsagittal", planeFrom: BRAIN_T1_PLANE_FROM },
    sidesToldBy: BY_PLANE,
  },
  {
    folders: "model5_gw_ae",
    colorMap: "colormap3.json",
    labels: TISSUE_LABELS,
    title: "White and grey matter on T1 MR (MeshNet, brainchop)",
    labelling: "labels the brain's white and grey matter on T1-weighted MR of the whole head, quickly",
    classes: TISSUE_CLASSES,
    composites: TISSUE_COMPOSITES,
    sides: { rule: "midsagittal", planeFrom: [1, 2] },
    sidesToldBy: BY_PLANE,
  },
  {
    folders: "model21_104class",
    colorMap: "colormap.json",
    labels: REGION_LABELS,
    title: "Regions of the cortex and deep structures on T1 MR (MeshNet, brainchop)",
    labelling:
      "labels 68 regions of the cortex (Desikan-Killiany) and 35 other structures of the brain on T1-weighted MR of the " +
      "whole head",
    classes: REGION_CLASSES,
    composites: REGION_COMPOSITES,
    sides: { rule: "labels" },
    sidesToldBy: "Left and right are the network's own labels.",
  },
];
