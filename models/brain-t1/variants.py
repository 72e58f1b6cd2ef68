"""A head as other scanners and other people would send it, with the teacher's labels of the head as it was."""

import argparse
import pathlib

import numpy as np
from scipy import ndimage


def thick(volume: np.ndarray, axis: int, mm: int) -> np.ndarray:
    """Slices of `mm` along an axis, taken back to 1 mm as the host does it."""
    slices = ndimage.uniform_filter1d(volume, mm, axis).take(range(mm // 2, volume.shape[axis], mm), axis)
    at = (np.arange(volume.shape[axis]) - mm // 2) / mm
    low = np.floor(at).clip(0, slices.shape[axis] - 2).astype(int)
    f = (at - low).clip(0, 1).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    return slices.take(low, axis) * (1 - f) + slices.take(low + 1, axis) * f


def turned(volume: np.ndarray, degrees: tuple[float, float, float], order: int) -> np.ndarray:
    matrix = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        a, b = [other for other in range(3) if other != axis]
        turn = np.eye(3)
        turn[a, a], turn[a, b], turn[b, a], turn[b, b] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        matrix = matrix @ turn
    middle = (np.array(volume.shape) - 1) / 2
    return ndimage.affine_transform(volume, matrix, middle - matrix @ middle, order=order)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("head", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    with np.load(arguments.head) as arrays:
        image, labels = arrays["image"], arrays["labels"]
    near = ndimage.binary_dilation(labels > 0, iterations=2)
    rng = np.random.default_rng(1)
    tilt = (12.0, -9.0, 15.0)
    made = {
        "axial5": (thick(image, 1, 5), labels), "coronal5": (thick(image, 0, 5), labels), "sagittal5": (thick(image, 2, 5), labels),
        "axial3": (thick(image, 1, 3), labels), "turned": (turned(image, tilt, 1), turned(labels, tilt, 0)),
        "mirrored": (image[:, :, ::-1].copy(), labels[:, :, ::-1].copy()), "stripped": (image * near, labels),
        "noisy": (np.abs(image + rng.normal(0, 0.06, image.shape)).astype(np.float32) * (image > 0.02), labels),
    }  # fmt: skip
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, (volume, truth) in made.items():
        np.savez(arguments.folder / f"{name}.npz", image=volume.astype(np.float32), labels=truth)


if __name__ == "__main__":
    main()
