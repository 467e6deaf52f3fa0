"""``learning_events``, for use as a library: how often a learning rule of a chip is evaluated at a synapse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.learning.on_chip.rule import LearningRule
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_array


def learning_events(rule: LearningRule, pre: SpikeRaster | Any, post: SpikeRaster | Any) -> float:
    """Synapses at which a rule is evaluated, per sample, of a dense matrix between two populations.

    At the end of each epoch of ``rule.t_epoch`` steps, as in ``PlasticMatrix``: the synapses of the neurons before
    that spiked where a product depends on x0, those of the neurons behind where one depends on y0, all where one
    depends on uk and the epoch's number is a multiple of 2^k. A synapse counts once an epoch.

    Args:
        rule: of the synapses.
        pre, post: spikes before and behind them; a raster or Booleans (sample, step, neuron). Steps beyond the last
            full epoch learn nothing.

    Raises:
        DlmError: arrays of another shape, unequal samples or steps, no samples.
    """
    before, behind = _dense(pre, "pre"), _dense(post, "post")
    if before.shape[:2] != behind.shape[:2]:
        raise DlmError(f"pre has (sample, step) {before.shape[:2]}, post {behind.shape[:2]}; give spikes of one run")
    if not len(before):
        raise DlmError("there are 0 samples; learning events per sample need at least one")
    x, y = (_spiking(spikes, rule.t_epoch) for spikes in (before, behind))
    depend = {product.dependency for product in rule.all_products}
    n_pre, n_post = before.shape[2], behind.shape[2]
    pre_on, post_on = x * ("x0" in depend), y * ("y0" in depend)
    found = pre_on * n_post + post_on * n_pre - pre_on * post_on
    for period in (2 ** int(one[1:]) for one in depend if one.startswith("u")):
        found[:, period - 1 :: period] = n_pre * n_post
    return float(found.sum() / len(before))


def _dense(spikes: SpikeRaster | Any, name: str) -> NDArray[np.bool_]:
    dense = spikes.dense() if isinstance(spikes, SpikeRaster) else as_array(spikes, name)
    if dense.ndim != 3:
        raise DlmError(f"{name} of shape {dense.shape}; give (sample, step, neuron), or a raster")
    return dense != 0


def _spiking(spikes: NDArray[np.bool_], t_epoch: int) -> NDArray[np.int64]:
    """(sample, epoch), neurons that spiked in it."""
    n_samples, n_steps, n = spikes.shape
    epochs = n_steps // t_epoch
    return spikes[:, : epochs * t_epoch].reshape(n_samples, epochs, t_epoch, n).any(axis=2).sum(axis=2)
