"""Weights as float16 in an ONNX file without a graph, for build.ts to put the graph around; and back from there."""

import argparse
import pathlib

import numpy as np
import onnx
import torch

from network import PHASES, BrainNet, ConvNormAct


def stem_kernel(weight: np.ndarray) -> np.ndarray:
    """[out, 8, 3, 3, 3] on cells -> [out, 1, 6, 6, 6] of stride 2 on voxels: cell d holds voxels 2d and 2d + 1."""
    out = weight.shape[0]
    phases = weight.reshape(out, 2, 2, 2, 3, 3, 3)
    return phases.transpose(0, 4, 1, 5, 2, 6, 3).reshape(out, 1, 6, 6, 6)


def cell_kernel(kernel: np.ndarray) -> np.ndarray:
    out = kernel.shape[0]
    split = kernel.reshape(out, 3, 2, 3, 2, 3, 2)
    return split.transpose(0, 2, 4, 6, 1, 3, 5).reshape(out, PHASES, 3, 3, 3)


def blocks_of(network: BrainNet) -> dict[str, ConvNormAct]:
    found = {}
    for way in ("down", "up"):
        for level, pair in enumerate(getattr(network, way)):
            for n, block in enumerate(pair):
                found[f"{way}.{level}.{n}"] = block
    return found


def weights_of(network: BrainNet) -> dict[str, np.ndarray]:
    named: dict[str, np.ndarray] = {}
    for name, block in blocks_of(network).items():
        kernel = block.conv.weight.detach().numpy()
        named[f"{name}.conv"] = stem_kernel(kernel) if name == "down.0.0" else kernel
        named[f"{name}.scale"] = block.scale.detach().numpy()
        named[f"{name}.shift"] = block.shift.detach().numpy()
    for level, conv in enumerate(network.narrow):
        named[f"narrow.{level}.weight"] = conv.weight.detach().numpy()
        named[f"narrow.{level}.bias"] = conv.bias.detach().numpy()
    for phase in range(PHASES):
        named[f"scores.{phase}.weight"] = network.phase_weight(phase).detach().numpy()[:, :, None, None, None]
    named["scores.bias"] = network.shared.bias.detach().numpy()
    return named


def write_weights(network: BrainNet, file: pathlib.Path, metadata: dict[str, str]) -> None:
    tensors = [
        onnx.numpy_helper.from_array(np.ascontiguousarray(values, np.float16), name)
        for name, values in weights_of(network).items()
    ]
    model = onnx.ModelProto(ir_version=9, graph=onnx.GraphProto(name="weights", initializer=tensors))
    onnx.helper.set_model_props(model, metadata)
    file.write_bytes(model.SerializeToString())


@torch.no_grad()
def load_onnx(network: BrainNet, file: pathlib.Path) -> None:
    """Weights of brain-t1.onnx (or of what write_weights wrote). The scores on the 4 mm grid begin anew."""
    stored = {t.name: onnx.numpy_helper.to_array(t).astype(np.float32) for t in onnx.load(file).graph.initializer}

    def put(parameter: torch.Tensor, values: np.ndarray) -> None:
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)).reshape(parameter.shape))

    for name, block in blocks_of(network).items():
        kernel = stored[f"{name}.conv"]
        put(block.conv.weight, cell_kernel(kernel) if name == "down.0.0" else kernel)
        put(block.scale, stored[f"{name}.scale"])
        put(block.shift, stored[f"{name}.shift"])
    for level, conv in enumerate(network.narrow):
        put(conv.weight, stored[f"narrow.{level}.weight"])
        put(conv.bias, stored[f"narrow.{level}.bias"])
    phases = np.stack([stored[f"scores.{phase}.weight"][:, :, 0, 0, 0] for phase in range(PHASES)])
    put(network.shared.weight, phases.mean(0))
    put(network.own, phases - phases.mean(0))
    put(network.shared.bias, stored["scores.bias"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("weights", type=pathlib.Path)
    arguments = parser.parse_args()
    saved = torch.load(arguments.checkpoint, weights_only=True)
    network = BrainNet()
    network.load_state_dict(saved["mean"])
    write_weights(network, arguments.weights, {"steps": str(saved["step"]), "minutes": f"{saved['spent'] / 60:.0f}"})


if __name__ == "__main__":
    main()
