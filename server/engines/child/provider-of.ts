import type { InferenceSession } from "onnxruntime-node";
import type { Device } from "../engine-options.ts";

/** A provider as onnxruntime is asked for it; of GPUs by CUDA and TensorRT, the one of that number. */
export function providerOf(name: Device, deviceId: number | undefined): InferenceSession.ExecutionProviderConfig {
  return deviceId !== undefined && (name === "cuda" || name === "tensorrt") ? { name, deviceId } : name;
}
