"""PyTorch's resizing, asked line by line: "in N" or "out KIND", each answered with its seconds.

usage: torch_resize.py FOLDER SIDE PROMPTS THREADS. FOLDER holds planes.u8 (slices of SIDE x SIDE) and logits.f32 (PROMPTS of
128 x 128); "write" leaves in.u8, out.u8 and labels.u8 there, for what comes out has to be the same.
"""

import sys
import time

import numpy as np
import torch
from torch.nn.functional import interpolate

folder, side, prompts, threads = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(threads)
planes = torch.from_numpy(np.fromfile(f"{folder}/planes.u8", np.uint8).reshape(-1, 1, side, side))
logits = torch.from_numpy(np.fromfile(f"{folder}/logits.f32", np.float32).reshape(prompts, 1, 128, 128))


def resize_in():
    return interpolate(planes, size=(512, 512), mode="bicubic", align_corners=False)


def masks():
    return torch.sigmoid(interpolate(logits, size=(512, 512), mode="bicubic", antialias=True)) > 0.5


def probabilities():
    p = torch.sigmoid(interpolate(logits, size=(512, 512), mode="bicubic", antialias=True))
    return p > 0.5, (255 * p).round().to(torch.uint8)


def labels():
    """Each pixel to the most probable prompt, as upstream merges what it has left; no suppression among prompts."""
    p = torch.sigmoid(interpolate(logits, size=(512, 512), mode="bicubic", antialias=True))
    most, prompt = p.max(dim=0)
    return torch.where(most > 0.5, prompt + 1, 0)


def labels_and_probabilities():
    p = torch.sigmoid(interpolate(logits, size=(512, 512), mode="bicubic", antialias=True))
    most, prompt = p.max(dim=0)
    return torch.where(most > 0.5, prompt + 1, 0), (255 * p).round().to(torch.uint8)


work = {
    "in": resize_in,
    "masks": masks,
    "labels": labels,
    "probabilities": probabilities,
    "labels+probabilities": labels_and_probabilities,
}
with torch.inference_mode():
    print(torch.__version__, flush=True)
    for line in sys.stdin:
        what = line.strip()
        if what == "write":
            resize_in().numpy().tofile(f"{folder}/in.u8")
            masks().numpy().tofile(f"{folder}/out.u8")
            labels().to(torch.uint8).numpy().tofile(f"{folder}/labels.u8")
            print("written", flush=True)
            continue
        begun = time.perf_counter()
        work[what]()
        print(time.perf_counter() - begun, flush=True)
