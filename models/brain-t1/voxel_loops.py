"""The generator's loops over voxels, compiled."""

import numba
import numpy as np

from heads import FIRST_OUTER, MADE, MADE_LEVELS

# Displacements, bias and made-up parts are given at nodes so many voxels apart, and are linear between them.
NODE_MM = 8


@numba.njit(cache=True, fastmath=True)
def node_row(nodes, k, j, row):
    """Values at the nodes along i, in row (k, j) of voxels: row [ni nodes, channels] of nodes [nk, nj, ni, channels]."""
    nk, nj = k // NODE_MM, j // NODE_MM
    fk, fj = np.float32((k - nk * NODE_MM) / NODE_MM), np.float32((j - nj * NODE_MM) / NODE_MM)
    one = np.float32(1)
    for n in range(row.shape[0]):
        for c in range(row.shape[1]):
            low = nodes[nk, nj, n, c] * (one - fj) + nodes[nk, nj + 1, n, c] * fj
            high = nodes[nk + 1, nj, n, c] * (one - fj) + nodes[nk + 1, nj + 1, n, c] * fj
            row[n, c] = low * (one - fk) + high * fk


@numba.njit(cache=True, fastmath=True)
def warp(image, tissues, matrix, centre, nodes, out_image, out_tissues):
    """Trilinear values and nearest tissues at matrix @ (voxel - middle) + centre + displacement (linear between nodes)."""
    size_k, size_j, size_i = out_image.shape
    last0, last1, last2 = image.shape[0] - 1, image.shape[1] - 1, image.shape[2] - 1
    row = np.empty((nodes.shape[2], 3), np.float32)
    share = np.float32(1 / NODE_MM)
    for k in range(size_k):
        for j in range(size_j):
            node_row(nodes, k, j, row)
            pk, pj, middle = np.float32(k - (size_k - 1) / 2), np.float32(j - (size_j - 1) / 2), np.float32((size_i - 1) / 2)
            start0 = matrix[0, 0] * pk + matrix[0, 1] * pj + centre[0]
            start1 = matrix[1, 0] * pk + matrix[1, 1] * pj + centre[1]
            start2 = matrix[2, 0] * pk + matrix[2, 1] * pj + centre[2]
            for i in range(size_i):
                n = i // NODE_MM
                f = np.float32(i - n * NODE_MM) * share
                pi = np.float32(i) - middle
                q0 = start0 + matrix[0, 2] * pi + row[n, 0] + (row[n + 1, 0] - row[n, 0]) * f
                q1 = start1 + matrix[1, 2] * pi + row[n, 1] + (row[n + 1, 1] - row[n, 1]) * f
                q2 = start2 + matrix[2, 2] * pi + row[n, 2] + (row[n + 1, 2] - row[n, 2]) * f
                if q0 < 0 or q1 < 0 or q2 < 0 or q0 >= last0 or q1 >= last1 or q2 >= last2:
                    out_image[k, j, i] = 0
                    out_tissues[k, j, i] = 0
                    continue
                out_tissues[k, j, i] = tissues[int(q0 + 0.5), int(q1 + 0.5), int(q2 + 0.5)]
                x, y, z = int(q0), int(q1), int(q2)
                fx, fy, fz = np.float32(q0 - x), np.float32(q1 - y), np.float32(q2 - z)
                a = image[x, y, z] + (image[x, y, z + 1] - image[x, y, z]) * fz
                b = image[x, y + 1, z] + (image[x, y + 1, z + 1] - image[x, y + 1, z]) * fz
                c = image[x + 1, y, z] + (image[x + 1, y, z + 1] - image[x + 1, y, z]) * fz
                d = image[x + 1, y + 1, z] + (image[x + 1, y + 1, z + 1] - image[x + 1, y + 1, z]) * fz
                a += (b - a) * fy
                c += (d - c) * fy
                out_image[k, j, i] = a + (c - a) * fx


@numba.njit(cache=True, fastmath=True)
def make_up(tissues, field, above):
    """In place: the neck, and what is outside the brain where field 1 is above `above`, in smooth regions by field 0."""
    size_k, size_j, size_i = tissues.shape
    row = np.empty((field.shape[2], 2), np.float32)
    for k in range(size_k):
        for j in range(size_j):
            node_row(field, k, j, row)
            for i in range(size_i):
                t = tissues[k, j, i]
                if t < FIRST_OUTER:
                    continue
                n = i // NODE_MM
                f = np.float32(i - n * NODE_MM) / np.float32(NODE_MM)
                kind = row[n, 0] + (row[n + 1, 0] - row[n, 0]) * f
                place = row[n, 1] + (row[n + 1, 1] - row[n, 1]) * f
                if t == MADE or place > above:
                    tissues[k, j, i] = MADE + min(max(int(kind * 2.2 + MADE_LEVELS / 2), 0), MADE_LEVELS - 1)


@numba.njit(cache=True, fastmath=True)
def paint(image, tissues, mean, spread, gain, mix, noise):
    """In place: `mix` of the tissue's own brightness and texture, the rest the image's times the tissue's gain."""
    flat, own, grain = image.ravel(), tissues.ravel(), noise.ravel()
    for n in range(flat.size):
        t = own[n]
        if t >= MADE:
            flat[n] = mean[t] + spread[t] * grain[n]
            continue
        flat[n] = mix * (mean[t] + spread[t] * grain[n]) + (1 - mix) * flat[n] * gain[t]


@numba.njit(cache=True, fastmath=True)
def shade(image, field, gamma, level, noise_level, noise):
    """In place: bias field (log, at nodes), contrast, noise as a magnitude image has it."""
    size_k, size_j, size_i = image.shape
    row = np.empty((field.shape[2], 1), np.float32)
    for k in range(size_k):
        for j in range(size_j):
            node_row(field, k, j, row)
            for i in range(size_i):
                n = i // NODE_MM
                bias = row[n, 0] + (row[n + 1, 0] - row[n, 0]) * np.float32(i - n * NODE_MM) / np.float32(NODE_MM)
                value = max(image[k, j, i], np.float32(0)) / level
                value = np.exp(gamma * np.log(value + np.float32(1e-4)) + bias)
                image[k, j, i] = abs(value + noise_level * noise[k, j, i])


@numba.njit(cache=True, fastmath=True)
def blur_slabs(image, weights, out):
    """Along the first axis of [n, rows]; values beyond an end are the end's."""
    count, length = image.shape
    radius = len(weights) // 2
    for k in range(count):
        out[k, :] = 0
        for w in range(-radius, radius + 1):
            other, weight = image[min(max(k + w, 0), count - 1)], weights[w + radius]
            row = out[k]
            for n in range(length):
                row[n] += weight * other[n]


@numba.njit(cache=True, fastmath=True)
def blur_rows(image, weights, out):
    """Along the last axis of [rows, n]."""
    rows, count = image.shape
    radius = len(weights) // 2
    padded = np.empty(count + 2 * radius, np.float32)
    for r in range(rows):
        padded[:radius] = image[r, 0]
        padded[radius : radius + count] = image[r]
        padded[radius + count :] = image[r, count - 1]
        row = out[r]
        row[:] = 0
        for w in range(2 * radius + 1):
            weight, shifted = weights[w], padded[w : w + count]
            for n in range(count):
                row[n] += weight * shifted[n]


def blur(image: np.ndarray, sigma: float, axis: int) -> np.ndarray:
    radius = max(1, int(2.6 * sigma + 0.5))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    out = np.empty_like(image)
    if axis == 2:
        blur_rows(image.reshape(-1, image.shape[2]), weights, out.reshape(-1, image.shape[2]))
    elif axis == 0:
        blur_slabs(image.reshape(image.shape[0], -1), weights, out.reshape(image.shape[0], -1))
    else:
        for k in range(image.shape[0]):
            blur_slabs(image[k], weights, out[k])
    return out
