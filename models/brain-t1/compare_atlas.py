"""Dice of labels of Colin27 (ch2) against its AAL atlas: the network's, and the teacher's beside them."""

import argparse
import json
import pathlib

import nibabel as nib
import numpy as np
from scipy import ndimage

from evaluate import dice
from heads import SIZE, conform_to_source

# AAL's numbers, both sides together; 91 to 116 are the cerebellum and its vermis.
STRUCTURES: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = (
    ("thalamus", (7,), (77, 78)), ("putamen", (9,), (73, 74)), ("caudate", (8,), (71, 72)), ("pallidum", (10,), (75, 76)),
    ("hippocampus", (14,), (37, 38)), ("amygdala", (15,), (41, 42)), ("cerebellum", (5, 6), tuple(range(91, 117))),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atlas", type=pathlib.Path, help="aal.nii.gz of mricron-data")
    parser.add_argument("head", type=pathlib.Path, help="ch2.npz of heads.py")
    parser.add_argument("labels", type=pathlib.Path, help="ch2.npy of evaluate.py --save")
    parser.add_argument("--json", type=pathlib.Path, help="where the network's figures go")
    arguments = parser.parse_args()
    atlas = nib.load(arguments.atlas)
    matrix, offset = conform_to_source(atlas.affine, atlas.shape)
    regions = ndimage.affine_transform(np.asarray(atlas.dataobj), matrix, offset, (SIZE,) * 3, order=0)
    found, teacher = np.load(arguments.labels), np.load(arguments.head)["labels"]
    figures: dict[str, float] = {}
    print(f"{'':14}{'network':>9}{'teacher':>9}")
    for name, values, numbers in STRUCTURES:
        truth = np.isin(regions, numbers)
        scores = [dice(np.isin(labels, values).astype(np.uint8), truth.astype(np.uint8), (1,)) for labels in (found, teacher)]
        print(f"{name:14}" + "".join(f"{score:9.3f}" for score in scores))
        figures[name] = round(scores[0], 3)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
