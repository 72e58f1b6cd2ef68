/** A file of a repository on the Hugging Face hub. */
export interface HubFile {
  /** Owner and name. */
  readonly repository: string;
  /** A commit: what a branch points to may change. */
  readonly revision: string;
  readonly path: string;
}

/** Weights that their makers hand out themselves, to those who asked and accepted their licence. */
export const MEDIMAGEPARSE3D_CHECKPOINT: HubFile = {
  repository: "microsoft/BiomedParse",
  revision: "e473e5b2b1a3f44649734afd3dc7cf1770aaa9e2",
  path: "biomedparse_v2.ckpt",
};

export const HUB_URL = "https://huggingface.co";
