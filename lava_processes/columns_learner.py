"""The learner ``columns-lava``: the columns learn and answer inside Lava."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import UnsupportedError
from dlm_snn.learning.columns.learner import ColumnLearner, Form, Samples, chosen_form
from dlm_snn.learning.columns.options import COLUMNS_LAVA
from dlm_snn.learning.learner import Setting
from dlm_snn.learning.making import typed_options
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.runs.raster import SpikeRaster
from lava_processes.columns_run import NO_TEACHER, run_columns


def make_columns_in_lava(setting: Setting, rng: np.random.Generator, **options: Any) -> LavaColumns:
    """The learner ``columns-lava``.

    Args:
        setting: images of one channel or three.
        rng: not used; nothing here is drawn.
        options: as of ``dlm_snn.learning.columns.learner.make_columns``, without ``kept``; ``stepwise``: spike by spike
            in a graph of processes, hundreds of times as slow as a sample in every step, with the same result.

    Raises:
        DlmError: an unknown option, or a value that does not fit.
    """
    options = typed_options("columns-lava", options, COLUMNS_LAVA)
    form = chosen_form(setting, options)
    if form.front_end.is_camera:
        raise UnsupportedError("columns-lava", "recordings", "use the learner columns")
    return LavaColumns(form, options.get("stepwise", False))


class LavaColumns(ColumnLearner):
    """Columns whose samples are shown in Lava; those to learn wait until an answer is asked for."""

    def __init__(self, form: Form, stepwise: bool) -> None:
        super().__init__(form)
        self.stepwise = stepwise
        where = "a graph of processes" if stepwise else "one process, a sample a step"
        self.declaration = replace(self.declaration, winner=f"{self.declaration.winner}, in Lava ({where})")
        self._waiting: list[tuple[NDArray[np.uint8], NDArray[np.int64]]] = []

    def observe(self, x: Samples, y: NDArray[np.int64]) -> None:
        """Put images (sample, pixel) and their classes behind those that wait."""
        images, classes = self.taught(_images(x), y)
        self._waiting.append((_images(images).copy(), classes.copy()))

    def predict(self, x: Samples) -> NDArray[np.int64]:
        """Learn what waits, then classify, in one run of Lava."""
        x = _images(self.asked(_images(x)))
        images = np.concatenate([*(block for block, _ in self._waiting), x])
        labels = np.concatenate([*(block for _, block in self._waiting), np.full(len(x), NO_TEACHER)])
        if not len(labels):
            return labels
        answers = run_columns(self.front_end, self.rule, self.columns, images, labels, self.stepwise)
        self._waiting = []
        return answers[len(labels) - len(x) :]

    def freeze(self) -> IntegerNetwork:
        """All of it as one integer network without plasticity, once all that waits is learned."""
        self.predict(np.zeros((0, self.front_end.n_inputs), dtype=np.uint8))
        return super().freeze()

    def info(self) -> Mapping[str, Any]:
        """Neurons, synapses, steps of a sample at most."""
        return {key: value for key, value in super().info().items() if key not in ("spikes", "ties")}


def _images(x: Samples) -> NDArray[np.uint8]:
    if isinstance(x, SpikeRaster):
        raise UnsupportedError("columns-lava", "recordings", "use the learner columns")
    return x
