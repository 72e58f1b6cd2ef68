import { UnsupportedImageError } from "../errors.ts";

/** How one voxel is stored. */
export interface DataType {
  readonly name:
    | "uint8"
    | "int8"
    | "int16"
    | "uint16"
    | "int32"
    | "uint32"
    | "int64"
    | "uint64"
    | "float32"
    | "float64";
  readonly bytes: 1 | 2 | 4 | 8;
}

/** @throws UnsupportedImageError "unsupported-datatype" */
export function dataTypeOf(code: number): DataType {
  const type = READ[code];
  if (type) return type;
  const kind = REFUSED[code] ?? `type ${code}, which NIfTI does not define`;
  const explanation = `The voxels are ${kind}; integers and 32- or 64-bit floating point can be read. Convert the image.`;
  throw new UnsupportedImageError("unsupported-datatype", explanation);
}

const READ: Readonly<Record<number, DataType>> = {
  2: { name: "uint8", bytes: 1 },
  4: { name: "int16", bytes: 2 },
  8: { name: "int32", bytes: 4 },
  16: { name: "float32", bytes: 4 },
  64: { name: "float64", bytes: 8 },
  256: { name: "int8", bytes: 1 },
  512: { name: "uint16", bytes: 2 },
  768: { name: "uint32", bytes: 4 },
  1024: { name: "int64", bytes: 8 },
  1280: { name: "uint64", bytes: 8 },
};

const REFUSED: Readonly<Record<number, string>> = {
  1: "single bits",
  32: "complex numbers",
  128: "RGB colours",
  1536: "128-bit floating point",
  1792: "complex numbers",
  2048: "complex numbers",
  2304: "RGBA colours",
};
