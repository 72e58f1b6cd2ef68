"""Trains the network; stopped and started again at will.

The learning rate falls with the share of the minutes that are over; what the network is in the end is the running mean
of its weights. Samples are made ahead in a second process of low priority and, where it is behind, in this one.
"""

import argparse
import math
import multiprocessing
import os
import pathlib
import queue
import time

import numpy as np
import torch

from generator import Head, load_head, sample
from losses import CrossEntropyAndDice, class_weights
from network import CLASS_COUNT, PHASES, BrainNet, cells_of, rows, scaled

# Crops in 1 mm voxels along k (anterior), j (inferior), i (left): the middle of a brain, a brain, a head.
SMALL, BRAIN, WHOLE = (128, 128, 128), (192, 160, 160), (224, 224, 192)
PHASES_A_STEP = 2
COARSE_WEIGHT = 0.25
MEAN_OVER_STEPS = 250
AHEAD = 4


def crop_size(seed: int, number: int, whole_share: float) -> tuple[int, int, int]:
    """More whole heads as the run goes on."""
    draw = np.random.default_rng((seed, number, 1)).random()
    if draw < whole_share:
        return WHOLE
    return BRAIN if draw < whole_share + 0.1 else SMALL


def whole_share(progress: float) -> float:
    return 0.05 if progress < 0.45 else 0.18 if progress < 0.7 else 0.5


def make_ahead(heads: list[Head], seed: int, needed, share, samples) -> None:
    os.setsid()  # Linux weighs sessions first: in the trainer's own, it would share the trainer's priority.
    os.setpriority(os.PRIO_PROCESS, 0, 5)
    torch.set_num_threads(1)
    number = 0
    while True:
        number = max(number + 1, needed.value + 1)
        samples.put((number, sample(heads, crop_size(seed, number, share.value), seed, number)))


def next_sample(number: int, heads: list[Head], seed: int, share: float, samples) -> tuple[np.ndarray, np.ndarray]:
    while True:
        try:
            made, pair = samples.get_nowait()
        except queue.Empty:
            return sample(heads, crop_size(seed, number, share), seed, number)
        if made == number:
            return pair
        if made > number:
            return pair  # The helper ran ahead of a step that was made here: its sample is as good.


def rate(progress: float, step: int, top: float) -> float:
    return top * min(1, (step + 1) / 60) * (0.5 * (1 + math.cos(math.pi * min(1, progress))) + 0.01)


def train(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    folder = arguments.work
    folder.mkdir(parents=True, exist_ok=True)
    heads = [load_head(file) for file in arguments.heads]
    counts = sum(torch.bincount(torch.from_numpy(np.minimum(head.tissues, CLASS_COUNT - 1)).ravel().long(), minlength=CLASS_COUNT) for head in heads)
    weight = class_weights(counts)
    network = BrainNet().to(memory_format=torch.channels_last_3d)
    mean = BrainNet()
    mean.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, betas=(0.9, 0.99), weight_decay=1e-3)
    step, spent = 0, 0.0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        mean.load_state_dict(saved["mean"])
        optimiser.load_state_dict(saved["optimiser"])
        step, spent = saved["step"], saved["spent"]
    elif arguments.start_from:
        from export_weights import load_onnx

        for target in (network, mean):
            load_onnx(target, arguments.start_from)
    print(f"{sum(p.numel() for p in network.parameters()):,} weights; seed {arguments.seed}; from step {step}", flush=True)
    print("class weights", [round(float(w), 2) for w in weight], flush=True)

    context = multiprocessing.get_context("fork")
    needed, share, samples = context.Value("q", step), context.Value("d", 0.0), context.Queue(AHEAD)
    helper = context.Process(target=make_ahead, args=(heads, arguments.seed, needed, share, samples), daemon=True)
    share.value = whole_share(spent / (arguments.minutes * 60))
    helper.start()

    sums, since, made_here = np.zeros(4), 0, 0.0
    began = last = saved_at = time.monotonic()
    while spent < arguments.minutes * 60:
        progress = spent / (arguments.minutes * 60)
        share.value = whole_share(progress)
        started = time.monotonic()
        needed.value = step
        image, classes = next_sample(step, heads, arguments.seed, share.value, samples)
        made_here += time.monotonic() - started
        for group in optimiser.param_groups:
            group["lr"] = rate(progress, step, arguments.rate)
        sums[:3] += one_step(network, optimiser, image, classes, weight, step, arguments.seed)
        keep = min(1 - 1 / MEAN_OVER_STEPS, (step + 1) / (step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(mean.parameters()), list(network.parameters()), 1 - keep)
        step, since = step + 1, since + 1
        now = time.monotonic()
        spent += now - last
        last = now
        if since == 100 or step in (1, 5, 20, 50):
            average = sums / since
            print(
                f"step {step} min {spent / 60:.1f} entropy {average[0]:.3f} dice loss {average[1]:.3f} coarse {average[2]:.3f} "
                f"s/step {(now - began) / since:.2f} (samples {made_here / since:.2f})",
                flush=True,
            )
            sums[:], since, made_here, began = 0, 0, 0.0, now
        if now - saved_at > 150 or spent >= arguments.minutes * 60:
            saved_at = now
            state = {"network": network.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save({**state, "step": step, "spent": spent}, folder / "part.pt")
            os.replace(folder / "part.pt", checkpoint)
    print(f"done: {step} steps, {spent / 60:.1f} minutes", flush=True)


def one_step(network, optimiser, image: np.ndarray, classes: np.ndarray, weight, step: int, seed: int) -> tuple[float, float, float]:
    target = torch.from_numpy(classes)
    cells = cells_of(scaled(torch.from_numpy(image))[None, None]).to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features, coarse = network.features(cells.contiguous(memory_format=torch.channels_last_3d))
    features, coarse = rows(features).float(), rows(coarse).float()
    entropies, dices = [], []
    for phase in np.random.default_rng((seed, step, 2)).choice(PHASES, PHASES_A_STEP, replace=False):
        own = target[phase >> 2 :: 2, phase >> 1 & 1 :: 2, phase & 1 :: 2].reshape(-1).long()
        scores = torch.addmm(network.shared.bias, features, network.phase_weight(phase).T)
        entropy, dice = CrossEntropyAndDice.apply(scores, own, weight)
        entropies.append(entropy)
        dices.append(dice)
    entropy, dice = sum(entropies) / PHASES_A_STEP, sum(dices) / PHASES_A_STEP
    far = sum(CrossEntropyAndDice.apply(network.coarse(coarse), target[1::4, 1::4, 1::4].reshape(-1).long(), weight))
    optimiser.zero_grad(set_to_none=True)
    (entropy + dice + COARSE_WEIGHT * far).backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
    optimiser.step()
    return entropy.item(), dice.item(), far.item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=pathlib.Path, help="folder of the checkpoint; a run goes on from it")
    parser.add_argument("heads", type=pathlib.Path, nargs="+", help="heads made by heads.py")
    parser.add_argument("--minutes", type=float, default=180)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--from", dest="start_from", type=pathlib.Path, help="weights of a brain-t1.onnx to begin with")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
