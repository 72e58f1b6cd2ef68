export { isNifti, type ReadNiftiOptions, readNifti, readNiftiPair } from "./read.ts";
export { niftiParts, type WriteNiftiOptions, writeNifti } from "./write.ts";
