import { InvalidArgumentError } from "commander";

/** An option's NIfTI file: its name says what is in it, and a device takes what it gets. @throws what commander reports as wrong usage */
export function niftiName(path: string): string {
  if (isNiftiName(path)) return path;
  throw new InvalidArgumentError("It ends in .nii or .nii.gz.");
}

export function isNiftiName(path: string): boolean {
  return /\.nii(\.gz)?$/.test(path) || path.startsWith("/dev/");
}

export function isGzipName(path: string): boolean {
  return path.endsWith(".gz");
}
