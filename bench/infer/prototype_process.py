"""The prototype's image graph over a safetensors file, asked line by line: "ask P" is answered with the seconds of one slice with P
prompts of 8 tokens, "peak" with the peak memory of this process in MiB.

usage: prototype_process.py PROTOTYPE CONFIG WEIGHTS WORK THREADS. PROTOTYPE: the folder of boltzformer_onnx.py; CONFIG: full.json;
WEIGHTS: a safetensors file in the folder WORK, where the graph is written beside it. First it prints its version and the
seconds until the session was ready.
"""

import json
import os
import struct
import sys
import time

prototype, config_file, weights, work, threads = sys.argv[1:6]
sys.path.insert(0, prototype)

import boltzformer_onnx
import numpy as np
import onnxruntime


class Weights:
    """Name -> (shape, byte offset in the file), as the prototype's own reader of checkpoints has them."""

    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        self.t = {
            name: (tuple(one["shape"]), 8 + length + one["data_offsets"][0])
            for name, one in header.items()
            if name != "__metadata__"
        }


def made(name, count):
    """Numbers in [-1, 1) that belong to a name: the rule of the golden data's README."""
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


config = json.load(open(config_file))["config"]
size = config["image_size"]
noise = []
for layer in range(config["decoder_layers"]):
    shape = (config["heads"], config["queries"], (size // (32, 16, 8)[layer % 3]) ** 2)
    noise.append(((made(f"noise.0.{layer}", int(np.prod(shape))) + 1) / 2).reshape(shape))
graph = boltzformer_onnx.image_graph(Weights(weights), config, os.path.basename(weights), noise)
path = os.path.join(work, "prototype.onnx")
with open(path, "wb") as file:
    file.write(graph.SerializeToString())
del graph
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.log_severity_level = 3
begun = time.perf_counter()
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
print(onnxruntime.__version__, time.perf_counter() - begun, flush=True)

image = ((made("image", 3 * size * size) + 1) * 127.5).reshape(1, 3, size, size).astype(np.float32)
for line in sys.stdin:
    what, *rest = line.split()
    if what == "ask":
        words = np.ascontiguousarray(
            np.broadcast_to(made("words", 8 * config["hidden_dim"]).reshape(8, 1, -1), (8, int(rest[0]), config["hidden_dim"]))
        )
        begun = time.perf_counter()
        session.run(None, {"image": image, "text_tokens": words})
        print(time.perf_counter() - begun, flush=True)
    elif what == "peak":
        with open("/proc/self/status") as status:
            (peak,) = (int(one.split()[1]) for one in status if one.startswith("VmHWM"))
        print(peak / 1024, flush=True)
