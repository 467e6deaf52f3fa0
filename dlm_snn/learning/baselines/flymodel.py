"""The fly's mushroom body: a fixed sparse expansion, and weights that only grow onto the taught class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.config import Config
from dlm_snn.errors import DlmError
from dlm_snn.learning.descent.mlp import checked, no_spikes
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import Network
from dlm_snn.values import slices

BLOCK = 500
"""Samples that are expanded together."""


class FlyOptions(Config):
    """Of the fly's model.

    Attributes:
        cells: Kenyon cells.
        fan_in: share of the features that each of them hears.
        winners: of them stay active for a sample.
        rate: of learning.
    """

    cells: int = Field(default=10_000, ge=1)
    fan_in: float = Field(default=0.1, gt=0, le=1)
    winners: int = Field(default=64, ge=1)
    rate: float = Field(default=0.02, gt=0, le=1)


class FlyModel:
    """z = k largest of B (x - mean x), divided by the largest; w_c <- min(1, w_c + rate z) for the taught class c.

    B is binary with a fixed fan-in. The class is the largest w_c . z; -1 where all are 0. Weights only grow, so that
    the order of samples does not matter but for the rounding of sums.

    Args:
        setting, rng: as of every learner.
        options: see FlyOptions.

    Raises:
        DlmError: an option that is unknown or out of range, or more winners than cells.

    Source: Shen, Dasgupta and Navlakha, Neural Computation 35, 1797 (2023).
    """

    declaration = Declaration(front_end="random binary expansion", normalization="mean removed, largest cell 1")

    def __init__(self, setting: Setting, rng: np.random.Generator, **options: Any) -> None:
        chosen = checked(FlyOptions, "flymodel", options)
        if chosen.winners > chosen.cells:
            raise DlmError(f"learner 'flymodel': winners = {chosen.winners} of {chosen.cells} cells; give fewer")
        self._setting = setting
        self._features, self._scale, self._options = math.prod(setting.shape), setting.scale, chosen
        self._heard = max(1, round(chosen.fan_in * self._features))
        self._expansion = torch.zeros(chosen.cells, self._features, dtype=torch.float32, device="cpu")
        places = rng.random((chosen.cells, self._features), dtype=np.float32).argpartition(self._heard - 1, axis=1)
        self._expansion.scatter_(1, torch.tensor(places[:, : self._heard], device="cpu"), 1.0)
        self._weights = torch.zeros(setting.n_classes, chosen.cells, dtype=torch.float32, device="cpu")

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Add each sample's code to its class."""
        x, y = self._setting.taught(x, y)
        for part in slices(len(y), BLOCK):
            cells, values = self._code(x[part])
            labels = torch.tensor(y[part], device="cpu")[:, None].expand_as(cells)
            self._weights.index_put_((labels, cells), self._options.rate * values, accumulate=True)
            self._weights.clamp_max_(1.0)

    def _code(self, x: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        """The winning cells of each sample and their activity, (sample, winner)."""
        value = torch.tensor(x, device="cpu").float() / self._scale
        drive = (value - value.mean(1, keepdim=True)) @ self._expansion.T
        found = drive.topk(self._options.winners, dim=1)
        activity = found.values.clamp_min(0)
        return found.indices, activity / activity[:, :1].clamp_min(1e-12)

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int] | None = None) -> NDArray[np.int64]:
        """The class of each sample, among ``classes`` where they are given; -1 where no weight speaks."""
        x = self._setting.asked(x)
        allowed = np.arange(len(self._weights)) if classes is None else np.array(self._setting.named(classes))
        found = [np.zeros(0, np.int64)]
        for part in slices(len(x), BLOCK):
            cells, values = self._code(x[part])
            score = (self._weights[allowed][:, cells] * values).sum(-1).numpy()
            found.append(np.where(score.max(0) > 0, allowed[score.argmax(0)], -1))
        return np.concatenate(found)

    def freeze(self) -> Network:
        """There is none."""
        raise no_spikes("flymodel, whose cells are graded,")

    def info(self) -> Mapping[str, Any]:
        """Neurons and synapses."""
        cells, classes = self._options.cells, len(self._weights)
        return {"neurons": cells + classes, "synapses": cells * (self._heard + classes)}
