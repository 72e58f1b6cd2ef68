"""The network: a 3D U-Net on a 2 mm grid that reads and labels 1 mm voxels.

Each 2 mm cell is given its eight 1 mm voxels as channels, and answers with eight sets of class scores, one for each of
them ("phases"). Skips are added, not concatenated. 3.4 M weights.
"""

import torch
import torch.nn.functional as F
from torch import nn

from heads import HEAD

CLASS_COUNT = HEAD + 1
PHASES = 8
WIDTHS = (16, 32, 64, 128, 160)
FEATURES = 32
# Both sides of the input are multiples of this many 1 mm voxels.
MULTIPLE = 2 ** len(WIDTHS)
NORM_EPSILON = 1e-5
LEAK = 0.01


class ConvNormAct(nn.Module):
    """3x3x3 convolution, instance norm, leaky ReLU. One volume at a time, so batch statistics are the instance's."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, 3, padding=1, bias=False)
        self.scale = nn.Parameter(torch.ones(outputs))
        self.shift = nn.Parameter(torch.zeros(outputs))
        nn.init.kaiming_normal_(self.conv.weight, a=LEAK)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.batch_norm(self.conv(x), None, None, self.scale, self.shift, training=True, eps=NORM_EPSILON)
        return F.leaky_relu(y, LEAK)


class BrainNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        inputs = (PHASES, *WIDTHS[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(ConvNormAct(i, w), ConvNormAct(w, w)) for i, w in zip(inputs, WIDTHS, strict=True)
        )
        self.narrow = nn.ModuleList(nn.Conv3d(b, a, 1) for a, b in zip(WIDTHS, WIDTHS[1:]))
        self.up = nn.ModuleList(
            nn.Sequential(ConvNormAct(w, w), ConvNormAct(w, w if level else FEATURES))
            for level, w in enumerate(WIDTHS[:-1])
        )
        # Scores of a phase: what all phases share and what is its own.
        self.shared = nn.Linear(FEATURES, CLASS_COUNT)
        self.own = nn.Parameter(torch.zeros(PHASES, CLASS_COUNT, FEATURES))
        # Scores on the 4 mm grid; for training only.
        self.coarse = nn.Linear(WIDTHS[1], CLASS_COUNT)

    def features(self, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[1, 8, k, j, i] on the 2 mm grid -> features there, and features on the 4 mm grid."""
        skips = []
        x = cells
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool3d(x, 2))
            skips.append(x)
        coarse = x
        for level in range(len(WIDTHS) - 2, -1, -1):
            if level == 0:
                coarse = x
            x = self.up[level](skips[level] + F.interpolate(self.narrow[level](x), scale_factor=2, mode="nearest"))
        return x, coarse

    def phase_weight(self, phase: int) -> torch.Tensor:
        return self.shared.weight + self.own[phase]


def rows(features: torch.Tensor) -> torch.Tensor:
    """[1, c, k, j, i] -> [k * j * i, c]."""
    return features.permute(0, 2, 3, 4, 1).reshape(-1, features.shape[1])


def cells_of(volume: torch.Tensor) -> torch.Tensor:
    """[1, 1, 2k, 2j, 2i] -> [1, 8, k, j, i]; channel 4 * pk + 2 * pj + pi is voxel (2k + pk, 2j + pj, 2i + pi)."""
    _, _, k, j, i = volume.shape
    split = volume.reshape(k // 2, 2, j // 2, 2, i // 2, 2)
    return split.permute(1, 3, 5, 0, 2, 4).reshape(1, PHASES, k // 2, j // 2, i // 2)


def scaled(volume: torch.Tensor) -> torch.Tensor:
    """The graph's first step: the mean of what is brighter than the mean becomes 1; clipped to 0..3."""
    bright = volume > volume.mean()
    level = (volume * bright).sum() / bright.sum().clamp(min=1)
    return (volume / level.clamp(min=1e-6)).clamp(0, 3)


@torch.no_grad()
def label(network: BrainNet, volume: torch.Tensor, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    """Labels of a conformed volume [k, j, i], 1 mm."""
    shape = volume.shape
    pads = [pad for size in reversed(shape) for pad in (0, -size % MULTIPLE)]
    padded = F.pad(scaled(volume), pads)
    with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        cells = cells_of(padded[None, None]).contiguous(memory_format=torch.channels_last_3d)
        features, _ = network.features(cells)
    flat = rows(features).float()
    out = torch.empty(padded.shape, dtype=torch.uint8)
    grid = [size // 2 for size in padded.shape]
    for phase in range(PHASES):
        best = (flat @ network.phase_weight(phase).T + network.shared.bias).argmax(1)
        out[phase >> 2 :: 2, phase >> 1 & 1 :: 2, phase & 1 :: 2] = best.reshape(grid).to(torch.uint8)
    return out[tuple(slice(size) for size in shape)]
