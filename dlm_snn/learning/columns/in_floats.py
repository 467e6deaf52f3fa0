"""Columns in floats: the same rule behind edges by host arithmetic, the winner by the largest response.

What the spiking front_end is measured against: nothing here is a spike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.compilation import compiled
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.learning.columns.edges import MAGNITUDE, SIZE, SMALL, edge_kernels, window_synapses
from dlm_snn.learning.columns.options import COLUMNS_FLOAT, nearest_multiple
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.learning.making import typed_options
from dlm_snn.networks.network import Network
from dlm_snn.values import slices

BLOCK = 1000
"""Images whose features are held together."""
Pools = tuple[NDArray[np.int32], NDArray[np.int32]]
"""From edges to windows: edge e belongs to pool[start[e]:start[e + 1]]."""


@dataclass(frozen=True)
class FloatColumns:
    """Constants of the float columns.

    Features: responses of edges in ``directions`` directions; at every place only the largest stays, where it is above
    ``floor`` of full contrast; sums over windows; square root; unit length. Columns: y = w . x, the largest wins; the
    winner of the taught column changes, w = w + a (x - y w), a = max(slowest_rate, 2^-floor(log2 wins)); where no
    y reaches ``novelty`` a fresh neuron takes w = x.

    Bursts: a column's counter of novelty gains 1 when its best y is below ``surprise``, else it is halved; when it
    reaches ``patience``, ``burst`` more of the column's neurons may be recruited. So a column keeps neurons for what
    is still to come, and notices by itself that it has come.

    Attributes:
        directions, floor, window, stride: of the features; directions None: the pixels themselves, at unit length.
        neurons: of all columns together.
        novelty, slowest_rate: of the rule.
        burst, surprise, patience: of the bursts; burst 0: all neurons may be recruited from the start.
    """

    directions: int | None = 16
    floor: float = 0.1
    window: int = 7
    stride: int = 3
    neurons: int = 5000
    novelty: float = 0.93
    slowest_rate: float = 1 / 16
    burst: int = 0
    surprise: float = 0.6
    patience: float = 3.0


def make_columns_in_floats(setting: Setting, rng: np.random.Generator, **options: Any) -> FloatColumnLearner:
    """The learner ``columns-float``.

    Args:
        setting: images of one channel.
        rng: not used; nothing here is drawn.
        options: any constant of FloatColumns; windows of 3x3, stride 1, where images are small and none are given.

    Raises:
        DlmError: an unknown option, or a value that does not fit.
    """
    options = typed_options("columns-float", options, COLUMNS_FLOAT)
    if len(setting.shape) != 3 or setting.shape[0] != 1:
        raise DlmError(f"columns-float takes images of one channel; these samples have the shape {setting.shape}")
    small = {"window": 3, "stride": 1} if min(setting.shape[1:]) < SMALL else {}
    constants = FloatColumns(**{**small, **options})
    if constants.directions is not None and constants.window > min(setting.shape[1:]):
        raise DlmError(f"window = {constants.window} of images of the shape {setting.shape}; give a smaller one")
    if constants.neurons < 1 or constants.neurons % setting.n_classes:
        raise DlmError(
            f"neurons = {constants.neurons} of the columns; give a multiple of the {setting.n_classes} classes, "
            f"such as {nearest_multiple(constants.neurons, setting.n_classes)}"
        )
    return FloatColumnLearner(setting, constants)


class FloatColumnLearner:
    """The learner ``columns-float``; see ``make``.

    Attributes:
        weight: (column, feature, neuron) float32.
        wins: (column, neuron); 0: fresh.
        opened: (column,), how many of its neurons may be recruited.
        surprised: (column,), the counters of novelty.
    """

    def __init__(self, setting: Setting, constants: FloatColumns) -> None:
        self.setting, self.constants = setting, constants
        rows, columns = setting.shape[1:]
        self.n_features = rows * columns
        self._pools: Pools | None = None
        if constants.directions is not None:
            pools = window_synapses(rows, columns, constants.directions, constants.window, constants.stride)
            forward = pools.transpose()
            start = np.searchsorted(forward.post, np.arange(pools.n_pre + 1)).astype(np.int32)
            self._pools = start, forward.pre.astype(np.int32)
            self.n_features = pools.n_post
        per_column = constants.neurons // setting.n_classes
        self.weight = np.zeros((setting.n_classes, self.n_features, per_column), dtype=np.float32)
        self.wins = np.zeros((setting.n_classes, per_column), dtype=np.int64)
        self.opened = np.full(setting.n_classes, min(constants.burst or per_column, per_column))
        self.surprised = np.zeros(setting.n_classes)
        front_end = "pixels" if constants.directions is None else f"{constants.directions} edge directions, host"
        self.declaration = Declaration(front_end=front_end, normalization="unit length, host", winner="host")

    def features(self, x: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The features of images (sample, pixel): (sample, feature), unit length, or 0 where there is no edge."""
        roots = x.astype(np.float32) if self._pools is None else np.sqrt(self._pooled(x, self._pools))
        length = np.linalg.norm(roots, axis=1, keepdims=True)
        return roots / np.where(length > 0, length, 1)

    def _pooled(self, x: NDArray[np.uint8], pools: Pools) -> NDArray[np.float32]:
        # A step from nothing to full contrast is answered by half the kernel's magnitudes.
        floor = MAGNITUDE / 2 * self.constants.floor * self.setting.scale
        return pooled_edges(x, self.setting.shape, self.constants.directions or 1, floor, pools, self.n_features)

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Learn from samples (sample, pixel) and their classes, one after another."""
        x, y = self.setting.taught(x, y)
        c = self.constants
        rule = np.float32(c.novelty), c.slowest_rate, c.burst, np.float32(c.surprise), c.patience
        state = self.weight, self.wins, self.opened, self.surprised
        for block in slices(len(x), BLOCK):
            _observe(self.features(x[block]), y[block], state, rule)

    def predict(self, x: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The class of the largest response; -1 where none is above 0."""
        x = self.setting.asked(x)
        parts = [self._classes(self.features(x[part])) for part in slices(len(x), BLOCK)]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    def _classes(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        largest = np.zeros((len(features), len(self.wins)), dtype=np.float32)
        for c, wins in enumerate(self.wins):
            used = int(np.count_nonzero(wins))
            largest[:, c] = (features @ self.weight[c, :, :used]).max(axis=1, initial=0)
        return np.where(largest.max(axis=1) > 0, largest.argmax(axis=1), -1)

    def freeze(self) -> Network:
        """Refused: edges, roots and lengths are host arithmetic.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError("columns-float", "a network of spikes", "use the learner columns")

    def info(self) -> Mapping[str, Any]:
        """Neurons and synapses."""
        used = int(np.count_nonzero(self.wins))
        return {"neurons": used, "synapses": used * self.n_features}


def pooled_edges(
    images: NDArray[np.uint8],
    shape: tuple[int, ...],
    directions: int,
    floor: float,
    pools: Pools,
    n_pools: int,
) -> NDArray[np.float32]:
    """Sums over windows of the largest edge of every place.

    Args:
        images: (sample, pixel).
        shape: (1, row, column) of an image.
        directions: of the edges.
        floor: an edge is there where its response is above this.
        pools: from edges to windows.
        n_pools: how many windows times directions.

    Returns:
        (sample, pool).
    """
    kernels = np.ascontiguousarray(edge_kernels(directions).transpose(1, 2, 0)).astype(np.float32)
    pooled = np.zeros((len(images), n_pools), dtype=np.float32)
    _edges(images, shape[1], shape[2], kernels, np.float32(floor), *pools, pooled)
    return pooled


@compiled
def respond(image, rows, columns, kernels, response):  # type: ignore[no-untyped-def]
    """Add what every place and direction answers to an image, sum of kernel times pixel, to ``response``."""
    half = SIZE // 2
    for p in range(rows * columns):
        if image[p] > 0:
            row, column = p // columns, p % columns
            for y in range(max(0, row - half), min(rows, row + half + 1)):
                for x in range(max(0, column - half), min(columns, column + half + 1)):
                    kernel = kernels[row - y + half, column - x + half]
                    place = response[y * columns + x]
                    for o in range(kernel.shape[0]):
                        place[o] += kernels.dtype.type(image[p]) * kernel[o]


@compiled
def _edges(images, rows, columns, kernels, floor, start, pool, pooled):  # type: ignore[no-untyped-def]
    """See ``pooled_edges``."""
    directions = kernels.shape[2]
    response = np.zeros((rows * columns, directions), np.float32)
    for b in range(images.shape[0]):
        response[:] = 0
        respond(images[b], rows, columns, kernels, response)
        for place in range(rows * columns):
            best = np.argmax(response[place])
            if response[place, best] > floor:
                edge = place * directions + best
                for k in range(start[edge], start[edge + 1]):
                    pooled[b, pool[k]] += response[place, best]


@compiled
def _respond(x, weight, used, y):  # type: ignore[no-untyped-def]
    """y = w . x of the first ``used`` neurons."""
    y[:used] = 0
    for i in range(x.shape[0]):
        if x[i] > 0:
            row = weight[i]
            for j in range(used):
                y[j] += x[i] * row[j]


@compiled
def _observe(x, labels, state, rule):  # type: ignore[no-untyped-def]
    weight, wins, opened, surprised = state
    novelty, slowest_rate, burst, surprise, patience = rule
    y = np.empty(weight.shape[2], np.float32)
    for b in range(x.shape[0]):
        c = labels[b]
        of_column, of_wins = weight[c], wins[c]
        used = np.count_nonzero(of_wins)
        _respond(x[b], of_column, used, y)
        best = np.argmax(y[:used]) if used > 0 else 0
        if burst > 0 and used == opened[c]:
            surprised[c] = surprised[c] + 1 if y[best] < surprise else surprised[c] / 2
            if surprised[c] >= patience:
                surprised[c] = 0
                opened[c] = min(opened[c] + burst, y.shape[0])
        if used < opened[c] and (used == 0 or y[best] < novelty):
            of_wins[used] = 1
            of_column[:, used] = x[b]
            continue
        of_wins[best] += 1
        power = 1.0
        while power * 2 <= of_wins[best]:
            power *= 2
        rate = np.float32(max(slowest_rate, 1 / power))
        for i in range(x.shape[1]):
            of_column[i, best] += rate * (x[b, i] - y[best] * of_column[i, best])
