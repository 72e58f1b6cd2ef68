"""Heads for training and evaluation: conformed as the host does, labelled by the teacher.

A head is kept as three uint8/float arrays [k, j, i] on the conformed grid (LIA, 1 mm, 256 voxels a side: i runs to the
patient's left, j to inferior, k to anterior).
"""

import argparse
import hashlib
import pathlib

import nibabel as nib
import numpy as np
import onnxruntime
from scipy import ndimage

SIZE = 256
# Columns of the conformed grid's axes in RAS: i to the left, j to inferior, k to anterior.
AXES_RAS = np.array([[-1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])

# The teacher's label values are kept; one is added.
CLASSES = (
    "background", "cerebral white matter", "cerebral cortex", "lateral ventricle", "inferior lateral ventricle",
    "cerebellar white matter", "cerebellar cortex", "thalamus", "caudate", "putamen", "pallidum", "third ventricle",
    "fourth ventricle", "brain stem", "hippocampus", "amygdala", "nucleus accumbens", "ventral diencephalon", "head",
)  # fmt: skip
HEAD = CLASSES.index("head")
# What the generator needs beyond the classes: parts of the head that look alike. All of them are "head" to the network.
INNER_FLUID = HEAD  # between the brain and the skull, and in its folds
FIRST_OUTER = HEAD + 1
OUTER_LEVELS = 6
DARK_INSIDE = FIRST_OUTER + OUTER_LEVELS  # air and bone inside the head's outline
# What no head shows: neck below the images' lower edge. The generator fills it, as it does other parts of the outside.
MADE = DARK_INSIDE + 1
MADE_LEVELS = 7
TISSUES = MADE + MADE_LEVELS


def conform(image: nib.spatialimages.SpatialImage) -> np.ndarray:
    """Trilinear, 0 outside; index size / 2 of both grids at the same point, as server/engines/child/conformed-grid.ts."""
    data = np.asarray(image.dataobj, dtype=np.float32)
    while data.ndim > 3:
        data = data[..., 0]
    data = np.nan_to_num(data)
    matrix, offset = conform_to_source(image.affine, data.shape)
    return ndimage.affine_transform(data, matrix, offset, (SIZE,) * 3, order=1, mode="constant", cval=0.0)


def conform_to_source(affine: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Index [k, j, i] of the conformed grid -> index of the image."""
    centre = affine[:3, :3] @ (np.array(shape[:3]) / 2) + affine[:3, 3]
    inverse = np.linalg.inv(affine[:3, :3])
    kji = AXES_RAS[:, ::-1]
    return inverse @ kji, inverse @ (centre - kji @ np.full(3, SIZE / 2) - affine[:3, 3])


def label_by_teacher(session: onnxruntime.InferenceSession, volume: np.ndarray) -> np.ndarray:
    """MeshNet's labels, as the `labels` engine asks for them: min-max to 0..1, the box of values above 0.2."""
    scaled = (volume - volume.min()) / (volume.max() - volume.min())
    box = tuple(slice(int(w.min()), int(w.max()) + 1) for w in np.nonzero(scaled > 0.2))
    labels = np.zeros(volume.shape, np.uint8)
    labels[box] = session.run(None, {"volume": np.ascontiguousarray(scaled[box])[None, None]})[0][0]
    joined, _ = ndimage.label(labels > 0)
    largest = np.bincount(joined.ravel())[1:].argmax() + 1
    return labels * (joined == largest).astype(np.uint8)


def tissues_of(volume: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The teacher's labels, and what surrounds the brain parted by brightness."""
    bright = volume / np.percentile(volume[volume > volume.max() * 0.05], 99.5)
    outline = ndimage.binary_closing(ndimage.gaussian_filter(bright, 1) > 0.06, iterations=4)
    outline = ndimage.binary_fill_holes(outline) | (labels > 0)
    outer = outline & (labels == 0)
    smooth = ndimage.gaussian_filter(bright, 0.6)
    levels = np.quantile(smooth[outer], [0.2, 0.4, 0.6, 0.8, 0.93])
    tissues = np.where(outer, FIRST_OUTER + np.digitize(smooth, levels), labels).astype(np.uint8)
    tissues[outer & (bright < 0.05)] = DARK_INSIDE
    tissues[ndimage.binary_closing(labels > 0, iterations=6) & outer] = INNER_FLUID
    return tissues


def lend_skull(bare: dict[str, np.ndarray], whole: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A template without a skull in another head's: both in the same space, so their brains lie over each other."""
    shift = np.rint(bare["centre"] - whole["centre"]).astype(int)
    # The world point of index n of `bare` is at n + (bare's centre - whole's centre) of `whole`, along +L, -S, +A.
    k, j, i = shift[1], -shift[2], -shift[0]
    around = {name: np.roll(whole[name], (-k, -j, -i), (0, 1, 2)) for name in ("image", "tissues")}
    brain = bare["labels"] > 0
    near = ndimage.binary_dilation(brain, iterations=2)
    fluid = np.median(bare["image"][np.isin(bare["labels"], (3, 11))])
    outer = around["tissues"] > INNER_FLUID
    lent = np.where(outer, around["tissues"], np.where(around["tissues"] > 0, INNER_FLUID, 0))
    tissues = np.where(brain, bare["labels"], np.where(near, INNER_FLUID, lent)).astype(np.uint8)
    seen = near & (bare["image"] > 0)
    image = np.where(seen, bare["image"], np.where(tissues == INNER_FLUID, fluid, around["image"] * (tissues > 0)))
    return {**bare, "image": image.astype(np.float32), "tissues": tissues}


def save_head(source: pathlib.Path, session: onnxruntime.InferenceSession, folder: pathlib.Path, name: str, skull: pathlib.Path | None) -> None:
    volume = conform(nib.load(source))
    labels = label_by_teacher(session, volume)
    top = np.percentile(volume[labels > 0], 99.5)
    image = nib.load(source)
    centre = image.affine[:3, :3] @ (np.array(image.shape[:3]) / 2) + image.affine[:3, 3]
    arrays = {"image": (volume / top).astype(np.float32), "labels": labels, "tissues": tissues_of(volume, labels), "centre": centre}
    if skull is not None:
        arrays = lend_skull(arrays, dict(np.load(skull)))
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{name}.npz", **arrays)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    print(f"{name}: {source.name} sha256 {digest}; brain {np.count_nonzero(labels) / 1000:.0f} mL", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("teacher", type=pathlib.Path, help="labels.onnx of the converted MeshNet")
    parser.add_argument("folder", type=pathlib.Path, help="where the heads go")
    parser.add_argument("heads", nargs="+", help="name=file.nii[.gz]")
    parser.add_argument("--skull-from", type=pathlib.Path, help="a head made before whose skull goes around these")
    arguments = parser.parse_args()
    session = onnxruntime.InferenceSession(str(arguments.teacher))
    for head in arguments.heads:
        name, _, file = head.partition("=")
        save_head(pathlib.Path(file), session, arguments.folder, name, arguments.skull_from)


if __name__ == "__main__":
    main()
