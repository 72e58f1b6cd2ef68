import { expect, test } from "vitest";
import { GpuOutOfMemoryError, ModelUnavailableError } from "#server/domain/index.ts";
import { runtimeError } from "../../server/engines/child/runtime-error.ts";

const ARENA =
  "Non-zero status code returned while running Conv node. Name:'/backbone/Conv' Status Message: " +
  "/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, " +
  "bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 2147483648";

test.each([
  ARENA,
  "CUDA failure 2: out of memory ; GPU=0 ; hostname=ward ; file=cuda_allocator.cc ; line=48 ; expr=cudaMalloc((void**)&p, size);",
  "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; hostname=ward ; expr=cublasCreate(&cublas_handle_);",
  "CUDNN failure 4000: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ; GPU=0",
])("on a GPU, %j is its memory that ran out, and may be tried again", (message) => {
  const error = runtimeError("The network cannot be computed", new Error(message), "cuda");
  expect(error).toBeInstanceOf(GpuOutOfMemoryError);
  expect(error).toMatchObject({ retryable: true, cause: { message } });
});

test("on a CPU the same words speak of the machine's memory, and may be tried again", () => {
  for (const message of [ARENA, "std::bad_alloc"]) {
    const error = runtimeError("The network cannot be computed", new Error(message), "cpu");
    expect(error).toBeInstanceOf(ModelUnavailableError);
    expect(error).toMatchObject({ retryable: true, message: expect.stringContaining("memory") });
  }
});

test("any other fault of a GPU may be gone the next time; on the CPU it comes again", () => {
  const fault = new Error("CUDA failure 999: unknown error");
  expect(runtimeError("The network cannot be computed", fault, "cuda")).toMatchObject({
    name: "ModelUnavailableError",
    retryable: true,
  });
  expect(runtimeError("A graph does not load", new Error("Protobuf parsing failed."), "cpu")).toMatchObject({
    name: "ModelUnavailableError",
    message: "A graph does not load: Protobuf parsing failed.",
    retryable: false,
  });
});
