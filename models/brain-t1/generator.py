"""Training samples in the manner of SynthSeg: a head deformed at random, seen by a scanner chosen at random.

Sample n of a seed is always the same, so a run can be resumed and its samples made ahead in another process.
"""

import dataclasses
import pathlib

import numpy as np

from heads import DARK_INSIDE, FIRST_OUTER, HEAD, INNER_FLUID, MADE, MADE_LEVELS, OUTER_LEVELS, TISSUES
from voxel_loops import NODE_MM, blur, make_up, paint, shade, warp

FLUID = (3, 4, 11, 12, INNER_FLUID)
GREY = (2, 6, 8, 14, 15, 16)
WHITE = (1, 5, 13)
NECK_MM = 60
NO_HEAD_SHARE = 0.07


@dataclasses.dataclass(frozen=True)
class Head:
    image: np.ndarray
    tissues: np.ndarray
    # Where crops are centred: some voxels of the brain, some of each class that is part of it, some of the outside.
    places: tuple[np.ndarray, ...]
    # The middle of the head's upper 200 mm.
    middle: np.ndarray


def load_head(file: pathlib.Path) -> Head:
    with np.load(file) as arrays:
        image, labels, tissues = arrays["image"], arrays["labels"], arrays["tissues"]
    inside = np.argwhere(tissues[::4, ::4, ::4] > 0) * 4
    upper = inside[inside[:, 1] < inside[:, 1].min() + 200]
    image, tissues = with_neck(image, tissues)
    every = [np.argwhere(labels > 0), *(np.argwhere(labels == value) for value in range(1, HEAD))]
    every.append(np.argwhere(tissues[::4, ::4, ::4] >= FIRST_OUTER) * 4)
    places = tuple(found[:: max(1, len(found) // 2000)].astype(np.float64) for found in every if len(found))
    return Head(image, tissues, places, (upper.min(0) + upper.max(0)) / 2)


def with_neck(image: np.ndarray, tissues: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The head's lowest cross-section goes on downwards, narrower and narrower to a neck."""
    lowest = int(np.flatnonzero((tissues > 0).sum((0, 2)) > 2000)[-1]) - 4
    below = ((0, 0), (0, NECK_MM), (0, 0))
    image, tissues = np.pad(image, below), np.pad(tissues, below)
    outline = np.argwhere(tissues[:, lowest] > 0)
    (k, i), (half_k, half_i) = outline.mean(0), np.ptp(outline, 0) / 2
    at_k, at_i = np.ogrid[: tissues.shape[0], : tissues.shape[2]]
    for j in range(lowest - 12, tissues.shape[1]):
        narrow = 0.65 + 0.35 * np.exp(-max(0, j - lowest) / 25)
        neck = ((at_k - k) / (half_k * narrow)) ** 2 + ((at_i - i) / (half_i * narrow)) ** 2 < 1
        tissues[:, j][neck & (tissues[:, j] == 0)] = MADE
    return image, tissues


def smooth_field(rng: np.random.Generator, nodes: tuple[int, ...], every: float, channels: int) -> np.ndarray:
    """Standard normal at points `every` nodes apart, cubic between them: [*nodes, channels]."""
    coarse = [int(np.ceil(n / every)) + 3 for n in nodes]
    field = rng.standard_normal((*coarse, channels)).astype(np.float32)
    for axis, count in enumerate(nodes):
        at = np.arange(count) / every + 1 + rng.random()
        whole = np.minimum(at.astype(int), coarse[axis] - 2)
        f = (at - whole).astype(np.float32)
        f = (f * f * (3 - 2 * f)).reshape([-1 if a == axis else 1 for a in range(4)])
        field = np.take(field, whole, axis) * (1 - f) + np.take(field, whole + 1, axis) * f
    return field


def rotation(rng: np.random.Generator) -> np.ndarray:
    """About the k, j and i axes (anterior, vertical, left-right)."""
    k, j, i = rng.uniform(-1, 1, 3) * (0.22, 0.22, 0.3)
    about_k = np.array([[1, 0, 0], [0, np.cos(k), -np.sin(k)], [0, np.sin(k), np.cos(k)]])
    about_j = np.array([[np.cos(j), 0, np.sin(j)], [0, 1, 0], [-np.sin(j), 0, np.cos(j)]])
    about_i = np.array([[np.cos(i), -np.sin(i), 0], [np.sin(i), np.cos(i), 0], [0, 0, 1]])
    return about_k @ about_j @ about_i


def displacements(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    nodes = tuple(s // NODE_MM + 2 for s in size)
    field = smooth_field(rng, nodes, 4.5, 3) * rng.uniform(0, 4.5) + smooth_field(rng, nodes, 2.2, 3) * rng.uniform(0, 1.6)
    grid = np.stack(np.meshgrid(*(np.arange(n) * float(NODE_MM) for n in nodes), indexing="ij"), -1)
    # Parts that are larger or smaller than the head's own: wide ventricles, thin or thick nuclei.
    for _ in range(rng.integers(0, 4)):
        away = grid - rng.uniform(0.2, 0.8, 3) * size
        radius = rng.uniform(12, 28)
        reach = np.exp(-(away**2).sum(-1, keepdims=True) / (2 * radius**2))
        field -= (rng.uniform(-0.3, 0.45) * away * reach).astype(np.float32)
    return field.astype(np.float32)


def brightnesses(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mean and texture of each tissue: T1-like order within the brain, anything around it."""
    mean = rng.uniform(0.05, 0.95, TISSUES)
    fluid = rng.uniform(0.05, 0.3)
    grey = fluid + rng.uniform(0.12, 0.42)
    white = grey + rng.uniform(0.08, 0.38)
    mean[list(FLUID)] = fluid + rng.normal(0, 0.02, len(FLUID))
    mean[list(GREY)] = grey + rng.normal(0, 0.03, len(GREY))
    mean[list(WHITE)] = white + rng.normal(0, 0.02, len(WHITE))
    # Thalamus, putamen, pallidum, ventral diencephalon lie between the two.
    between = np.array([0.55, 0.3, 0.75, 0.65]) + rng.normal(0, 0.1, 4)
    mean[[7, 9, 10, 17]] = grey + (white - grey) * between.clip(0, 1)
    outer = np.sort(rng.uniform(0, 1.2, OUTER_LEVELS))
    mean[FIRST_OUTER:DARK_INSIDE] = outer if rng.random() < 0.85 else rng.permutation(outer)
    mean[DARK_INSIDE] = rng.uniform(0, 0.1)
    mean[MADE:] = rng.permutation(np.linspace(0, 1, MADE_LEVELS)) * rng.uniform(0.5, 1.6)
    if rng.random() < 0.4:  # as bright as a brain
        mean[MADE:] = rng.choice((0.25, 0.65, 0.9), MADE_LEVELS) * rng.uniform(0.8, 1.2) + rng.normal(0, 0.05, MADE_LEVELS)
    mean[0] = rng.uniform(0, 0.02)
    spread = rng.uniform(0.005, 0.06, TISSUES)
    spread[0] = 0.004
    return mean.clip(0).astype(np.float32), spread.astype(np.float32)


def coarsen(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """As a scanner with larger voxels sees it: thick slices along one axis, or larger voxels along all."""
    kind = rng.random()
    if kind < 0.3:
        return image
    thickness = np.ones(3)
    if kind < 0.65:
        thickness[:] = rng.uniform(1, 1.4)
        thickness[rng.integers(3)] = rng.uniform(1.5, 5.5)
    else:
        thickness[:] = rng.uniform(1, 2.4) * rng.uniform(0.9, 1.1, 3)
    for axis, step in enumerate(thickness):
        if step < 1.15:
            continue
        image = blur(image, 0.42 * np.sqrt(step**2 - 1), axis)
        count = image.shape[axis]
        start = rng.random()
        at = np.arange(count) / step + start
        whole = np.floor(at)
        f = (at - whole).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        near = [np.rint((whole + side - start) * step).clip(0, count - 1).astype(int) for side in (0, 1)]
        image = np.take(image, near[0], axis) * (1 - f) + np.take(image, near[1], axis) * f
    return image


def near_the_coil(rng: np.random.Generator, nodes: tuple[int, ...], matrix: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Log brightness that grows, or falls, towards the outside of the head; 0 in its middle."""
    grid = np.stack(np.meshgrid(*((np.arange(n) - (n - 2) / 2) * NODE_MM for n in nodes), indexing="ij"), -1)
    from_middle = grid @ matrix.T + away + rng.normal(0, 20, 3)
    return rng.uniform(-0.15, 0.6) * ((from_middle**2).sum(-1, keepdims=True) / 85**2).clip(0, 2.5)


def cut_off(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray | None:
    """Voxels beyond the field of view: behind one or two planes, a little oblique."""
    if rng.random() > 0.25:
        return None
    at = np.ogrid[tuple(slice(-s / 2, s / 2) for s in shape)]
    beyond = np.zeros(shape, bool)
    for _ in range(rng.integers(1, 3)):
        normal = rng.normal(0, 0.12, 3)
        axis = rng.integers(3)
        normal[axis] = rng.choice((-1, 1))
        beyond |= sum(n * a for n, a in zip(normal, at)) > shape[axis] * rng.uniform(0.25, 0.5)
    return beyond


def sample(heads: list[Head], size: tuple[int, int, int], seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Image [k, j, i] (any brightness scale) and classes (uint8) of `size` voxels of 1 mm."""
    rng = np.random.default_rng((seed, number))
    head = heads[rng.integers(len(heads))]
    if max(size) > 170:
        centre = head.middle + rng.uniform(-1, 1, 3) * (8, 12, 8)
    else:
        kind = rng.random()
        places = head.places[rng.integers(1, len(head.places) - 1) if kind < 0.55 else -1 if kind < 0.7 else 0]
        centre = places[rng.integers(len(places))] + rng.uniform(-14, 14, 3)
    zoom = rng.uniform(0.86, 1.14, 3) * rng.uniform(0.92, 1.08)
    matrix = rotation(rng) @ np.diag(zoom) + rng.uniform(-0.05, 0.05, (3, 3))
    if rng.random() < 0.5:
        matrix = np.diag((1.0, 1.0, -1.0)) @ matrix
    image, tissues = np.empty(size, np.float32), np.empty(size, np.uint8)
    warp(head.image, head.tissues, matrix.astype(np.float32), centre.astype(np.float32), displacements(rng, size), image, tissues)

    nodes = tuple(s // NODE_MM + 2 for s in size)
    parts = np.concatenate([smooth_field(rng, nodes, rng.uniform(1.2, 3.5), 1), smooth_field(rng, nodes, 4, 1)], 3)
    if rng.random() < NO_HEAD_SHARE:
        # Some other body part: a body's outline with holes, and nothing of a head inside.
        tissues[tissues > 0] = FIRST_OUTER
        make_up(tissues, parts, rng.uniform(-3, -0.8))
        tissues[tissues == FIRST_OUTER] = rng.choice((0, DARK_INSIDE))
    else:
        make_up(tissues, parts, rng.uniform(0.3, 1) if rng.random() < 0.5 else np.inf)

    kind = rng.random()
    mix = 0.0 if kind < 0.5 else 1.0 if kind < 0.75 else rng.uniform(0.2, 0.8)
    mean, spread = brightnesses(rng)
    gain = rng.normal(1, 0.06, TISSUES).astype(np.float32)
    grain = rng.standard_normal(size, np.float32)
    paint(image, tissues, mean, spread, gain, np.float32(mix), grain)
    classes = np.minimum(tissues, HEAD)
    if rng.random() < 0.15:
        around = (tissues == 0) | (tissues > INNER_FLUID)
        image[around], classes[around] = 0, 0
    sigma = rng.uniform(0.3, 1.1) if mix > 0 else rng.uniform(0, 0.8)
    if sigma > 0.35:
        for axis in range(3):
            image = blur(image, sigma, axis)
    image = coarsen(rng, image)
    field = smooth_field(rng, nodes, 6.5, 1) * rng.uniform(0, 0.35)
    if rng.random() < 0.5:
        field += near_the_coil(rng, nodes, matrix, centre - head.middle)
    gamma = np.float32(np.exp(rng.normal(0, 0.2)))
    level = np.float32(np.quantile(image.ravel()[::37], 0.98) + 1e-3)
    noise_level = np.float32(rng.uniform(0, 0.05) if rng.random() < 0.7 else 0)
    shade(image, field.astype(np.float32), gamma, level, noise_level, np.roll(grain, 7))
    beyond = cut_off(rng, size)
    if beyond is not None:
        image[beyond] = 0
        classes[beyond] = 0
    return image, classes
