export { type DecodedNifti, decodeNifti } from "./decode.ts";
export { numbersOnly } from "./numbers-only.ts";
export { isNifti, type ReadNiftiOptions, readNifti, readNiftiPair } from "./read.ts";
export { niftiHeader, niftiParts, type WriteNiftiOptions, writeNifti } from "./write.ts";
