"""Dice of a checkpoint or of the exported graph against the teacher's labels, class by class, on the conformed grid."""

import argparse
import json
import pathlib
import time

import numpy as np
from scipy import ndimage

from heads import HEAD

# What a class is called here, the labels that make it up, and the least mean Dice that is asked of it on unseen heads.
JUDGED: tuple[tuple[str, tuple[int, ...], float], ...] = (
    ("brain", tuple(range(1, 18)), 0.92), ("cerebral white matter", (1,), 0.82), ("cerebral cortex", (2,), 0.76),
    ("lateral ventricle", (3, 4), 0.80), ("cerebellum", (5, 6), 0.82), ("thalamus", (7,), 0.78), ("caudate", (8,), 0.74),
    ("putamen", (9,), 0.68), ("pallidum", (10,), 0.62), ("brain stem", (13,), 0.72), ("ventral diencephalon", (17,), 0.60),
    ("hippocampus", (14,), 0.60), ("third ventricle", (11,), 0.50), ("fourth ventricle", (12,), 0.50),
    ("amygdala", (15,), 0.45), ("nucleus accumbens", (16,), 0.0),
)  # fmt: skip
# The host's rule: the network sees the box of values above this share of the way from the least to the greatest.
CROP_ABOVE = 0.1
CROP_MARGIN = 4


def crop_box(volume: np.ndarray) -> tuple[slice, ...]:
    smallest, largest = volume.min(), volume.max()
    above = volume > smallest + CROP_ABOVE * (largest - smallest)
    found = [np.flatnonzero(above.any(tuple(other for other in range(3) if other != axis))) for axis in range(3)]
    sizes = zip(found, volume.shape, strict=True)
    return tuple(slice(max(0, int(f[0]) - CROP_MARGIN), min(size, int(f[-1]) + 1 + CROP_MARGIN)) for f, size in sizes)


def labeller(file: pathlib.Path, threads: int):
    """A function volume [k, j, i] -> labels, of a checkpoint (its running mean) or of a graph."""
    if file.suffix == ".onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(file), options)
        return lambda volume: session.run(None, {"volume": volume[None, None]})[0][0]
    import torch

    from network import BrainNet, label

    torch.set_num_threads(threads)
    network = BrainNet().to(memory_format=torch.channels_last_3d)
    saved = torch.load(file, weights_only=True)
    print(f"step {saved['step']}, {saved['spent'] / 60:.1f} minutes")
    network.load_state_dict(saved["mean"])
    return lambda volume: label(network, torch.from_numpy(volume)).numpy()


def keep_largest(labels: np.ndarray) -> np.ndarray:
    """As the host does: of what is labelled as brain, the largest connected piece; the rest is head."""
    brain = (labels > 0) & (labels < HEAD)
    pieces, _ = ndimage.label(brain)
    largest = np.bincount(pieces[brain]).argmax() if brain.any() else 0
    return np.where(brain & (pieces != largest), HEAD, labels).astype(np.uint8)


def dice(found: np.ndarray, truth: np.ndarray, values: tuple[int, ...]) -> float:
    a, b = np.isin(found, values), np.isin(truth, values)
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=pathlib.Path)
    parser.add_argument("heads", type=pathlib.Path, nargs="+", help="heads made by heads.py")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=pathlib.Path, help="folder for the labels, as NAME.npy")
    parser.add_argument("--json", type=pathlib.Path, help="where the figures go")
    arguments = parser.parse_args()
    run = labeller(arguments.network, arguments.threads)
    figures: dict[str, list[float]] = {}
    for file in arguments.heads:
        with np.load(file) as arrays:
            volume, truth = arrays["image"], arrays["labels"]
        box = crop_box(volume)
        began = time.monotonic()
        labels = np.zeros_like(truth)
        labels[box] = run(np.ascontiguousarray(volume[box]))
        print(f"{file.stem}: crop {labels[box].shape}, {time.monotonic() - began:.1f} s")
        labels = keep_largest(labels)
        if arguments.save:
            np.save(arguments.save / f"{file.stem}.npy", labels)
        figures[file.stem] = [dice(labels, truth, values) for _, values, _ in JUDGED]
    print(f"{'':22}" + "".join(f"{name:>9}" for name in [*figures, "mean", "asked"]))
    for n, (name, _, asked) in enumerate(JUDGED):
        each = [scores[n] for scores in figures.values()]
        short = "  <" if np.mean(each) < asked else ""
        print(f"{name:22}" + "".join(f"{score:9.3f}" for score in [*each, np.mean(each), asked]) + short)
    if arguments.json:
        rows = {name: {head: round(scores[n], 3) for head, scores in figures.items()} for n, (name, _, _) in enumerate(JUDGED)}
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
