import { encodeModel } from "#models/onnx/model.ts";

const side = 8;

/** A matrix that is not symmetric, so that a wrong order of its numbers shows. */
export const probeInput = Float32Array.from({ length: side * side }, (_, n) => ((n * 7) % 11) / 10);

/** The matrix times itself. */
export const probeExpected = Float32Array.from({ length: side * side }, (_, n) => {
  const [row, column] = [Math.floor(n / side), n % side];
  let sum = 0;
  for (let m = 0; m < side; m++) sum += probeInput[row * side + m]! * probeInput[m * side + column]!;
  return sum;
});

/** y = x times x, on 8 x 8 floats. */
export function probeGraph(): Uint8Array {
  const dims = [side, side];
  const chunks = encodeModel({
    name: "probe",
    opset: 20,
    inputs: [{ name: "x", dtype: "float32", dims }],
    outputs: [{ name: "y", dtype: "float32", dims }],
    nodes: [{ op: "MatMul", inputs: ["x", "x"], outputs: ["y"] }],
    initializers: [],
  });
  return Buffer.concat(chunks);
}
