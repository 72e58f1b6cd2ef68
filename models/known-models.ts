import type { Figures } from "./card-fields.ts";

/** A model whose weights are somebody else's: fetched on request, never shipped. */
export interface KnownModel {
  readonly name: string;
  readonly title: string;
  /** DICOM's Modality values that it reads. */
  readonly modalities: readonly string[];
  /** Folder of the upstream repository, and of a local copy of it. */
  readonly upstreamFolder: string;
  /** How well it does, where that was measured. */
  readonly figures?: readonly Figures[];
  readonly files: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[];
}

/** Where brainchop publishes its networks, one folder each. */
export const BRAINCHOP_URL = "https://raw.githubusercontent.com/neuroneural/brainchop/master/public/models/";

const COLOR_MAP_18 = {
  name: "colormap.json",
  sha256: "10ebff5980dd2afe1a1407dd951d1258dfc95fec51641bab9b4a9b88d76808c5",
  bytes: 608,
} as const;

/** The atlas that comes with MRIcron's ch2 head; test/golden/brain-t1-atlas measures against it. */
export const AAL_ON_COLIN27 = "AAL atlas on the Colin27 head";

/** The reference of brain-t1-unet's own figures, the same to the letter: models/brain-t1/provenance.json. */
export const MESHNET_ON_UNSEEN_HEADS = "MeshNet's labels of heads that training never saw, mean";

export const KNOWN_MODELS: readonly KnownModel[] = [
  {
    name: "brain-t1",
    title: "Brain structures on T1 MR (MeshNet of 30 channels, brainchop)",
    modalities: ["MR"],
    upstreamFolder: "model30chan18cls",
    figures: [
      {
        reference: AAL_ON_COLIN27,
        dice: { thalamus: 0.817, putamen: 0.783, caudate: 0.723, hippocampus: 0.658, cerebellum: 0.881 },
      },
      {
        // With its own labels of the same heads mirrored: what a pupil of this network could reach at most.
        reference: MESHNET_ON_UNSEEN_HEADS,
        dice: {
          brain: 0.96,
          "cerebral white matter": 0.9,
          "cerebral cortex": 0.86,
          "lateral ventricle": 0.91,
          cerebellum: 0.94,
          thalamus: 0.92,
          caudate: 0.89,
          putamen: 0.88,
          pallidum: 0.84,
          "brain stem": 0.91,
          "ventral diencephalon": 0.89,
          hippocampus: 0.86,
          "third ventricle": 0.91,
          "fourth ventricle": 0.91,
          amygdala: 0.85,
          "nucleus accumbens": 0.78,
        },
      },
    ],
    files: [
      { name: "model.json", sha256: "d28521c0965e452c371314e4b5b4dcef7b19aa91241b17ef894ac24952139701", bytes: 28638 },
      { name: "model.bin", sha256: "7039651d91c4cee0b7b1ddfe93fe2f5cb9b71d99f5a126fdef407e2a36bb52d4", bytes: 784152 },
      COLOR_MAP_18,
    ],
  },
  {
    name: "brain-t1-fast",
    title: "Brain structures on T1 MR (MeshNet of 21 channels, brainchop): quicker, coarser",
    modalities: ["MR"],
    upstreamFolder: "model18cls",
    files: [
      { name: "model.json", sha256: "57346ac8b66ebe8d92296b1cf9988143be4949b6ef9695a790ef3d7fba3fb81b", bytes: 28638 },
      { name: "model.bin", sha256: "725096439f64ece1ca45ec3c5115c9fa6004f6538cac3032b85966d3772b605e", bytes: 385632 },
      COLOR_MAP_18,
    ],
  },
  {
    name: "brain-t1-tissue",
    title: "White and grey matter on T1 MR (MeshNet of 5 channels, brainchop)",
    modalities: ["MR"],
    upstreamFolder: "model5_gw_ae",
    files: [
      { name: "model.json", sha256: "7aabd59933bd3528f120107165f5dd577c5b749cf91fc2f949987d7bc620ce59", bytes: 9356 },
      {
        name: "group1-shard1of1.bin",
        sha256: "ca0d1b8ff72f8719d9525acaf9a1f1cb66dbb173b4ee1d7540f99e022cf4bfd8",
        bytes: 22392,
      },
      {
        name: "colormap3.json",
        sha256: "71f3ce5c5d9d0db1208937f55fa35b9970ce63c1a24753cf74c471fe9a3c27eb",
        bytes: 137,
      },
    ],
  },
  {
    name: "brain-t1-regions",
    title: "Regions of the cortex and deep structures on T1 MR (MeshNet of 104 classes, brainchop)",
    modalities: ["MR"],
    upstreamFolder: "model21_104class",
    files: [
      { name: "model.json", sha256: "b80a9ac7dccaecc08d59a7f2285a1dce50305d317f505b437518773ab2b27446", bytes: 8504 },
      {
        name: "group1-shard1of1.bin",
        sha256: "8a0aa1e2d94e5edc94c54aed900da978d2a1388bee4621cee05e473db64b84af",
        bytes: 345488,
      },
      {
        name: "colormap.json",
        sha256: "a450db760609a91a38b3ff1810a465841c39b1ff138cab005071c897ad0da069",
        bytes: 3904,
      },
    ],
  },
];
