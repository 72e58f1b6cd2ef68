export { isNifti, type ReadNiftiOptions, readNifti, readNiftiPair } from "./read.ts";
export { type WriteNiftiOptions, writeNifti } from "./write.ts";
