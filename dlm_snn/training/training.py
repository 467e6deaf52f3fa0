"""Training by surrogate gradients: weights follow AdamW (plain) or the Dissipative Learning Machine's dynamics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlm_snn.backends.torch import SpikingModule
from dlm_snn.errors import DlmError, nearest
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.physics.weights.divergence import Watched
from dlm_snn.physics.weights.trainer import Activities, DynamicsConfig, LangevinStepper
from dlm_snn.runs.metrics import accuracy
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.surrogate import surrogate
from dlm_snn.training.activity import check_activity, penalized
from dlm_snn.training.loop import AdamW, Curve, Labeled, Progress, Stepper, TrainingConfig, checked, fit
from dlm_snn.values import slices

AnyNetwork = TypeVar("AnyNetwork", Network, IntegerNetwork)

EVALUATION_BATCH = 512


def train(
    network: AnyNetwork,
    x: NDArray,
    y: NDArray,
    config: TrainingConfig,
    n_steps: int,
    progress: Progress | None = None,
    validation: Labeled | None = None,
    dynamics: DynamicsConfig | None = None,
    fixed: Collection[str] = (),
) -> tuple[AnyNetwork, Curve]:
    """Train the weights of a network with one data Input and one output population.

    The result depends on the network, the data and the configuration only, on one kind of processor.

    Args:
        network: where to start; an IntegerNetwork is trained in its integers.
        x: (sample, pixel) integers that the Input's events carry in every step, such as uint8.
        y: (sample,) classes.
        config: the recipe.
        n_steps: steps of every window.
        progress: called with each epoch's record.
        validation: samples and classes that are only measured.
        dynamics: the DLM's constants; its schedule and step then stand for those of ``config``. None: AdamW.
        fixed: names of projections whose weights stay as they are, such as "hidden->hidden".

    Returns:
        The trained network (a Network's weights are the float32 values that were trained), and the curve.

    Raises:
        DlmError: data, a penalty or names of projections that do not fit the network; one without any to train.
        DivergenceError: loss or weights that are not finite, or blown up; names the key that caused it.

    Warns:
        DivergenceWarning: an end no better than guessing, with a loss above that of equal chances.
    """
    source, output = _ends(network)
    given = network.inputs[source]
    extent = given.n, network.populations[output].n, given.bounds
    data = checked((x, y), *extent)
    validation = None if validation is None else checked(validation, *extent)
    trained = _Spiking(network, source, output, config, n_steps, dynamics, fixed)
    curve = fit(trained, data, config, progress, validation)
    return cast(AnyNetwork, trained.module.network()), curve


class _Spiking:
    """The network while it is trained, between its Input and its output; see ``loop.Trained``."""

    def __init__(
        self,
        network: Network | IntegerNetwork,
        source: str,
        output: str,
        config: TrainingConfig,
        n_steps: int,
        dynamics: DynamicsConfig | None,
        fixed: Collection[str],
    ) -> None:
        self._network, self._source, self._output = network, source, output
        self._config, self._n_steps, self._dynamics = config, n_steps, dynamics
        self.module = SpikingModule(network, surrogate(config.surrogate, config.slope))
        _hold(network, self.module, fixed)
        self.watched = _watched(network, self.module)
        self._constants = [name for name, given in network.inputs.items() if given.constant]
        self._events_matter = dynamics is not None and (dynamics.dissipation != "none" or dynamics.form == "hebbian")
        counted: Sequence[str] = ()
        if config.activity is not None:
            check_activity(network, config.activity)
            counted = config.activity.populations
        self._recorded = list(network.neurons) if self._events_matter else [*dict.fromkeys([output, *counted])]

    def _spikes(self, batch: NDArray, populations: Sequence[str]) -> dict[str, Tensor]:
        return self.module({self._source: torch.tensor(batch, device="cpu")}, self._n_steps, populations)

    def answer(self, batch: NDArray) -> tuple[Tensor, Activities, Tensor | None]:
        """Logits by the output's spikes; what Inputs carried, and where events matter, what all spiked; the penalty."""
        fired = self._spikes(batch, self._recorded)
        active = {name: s.detach().sum(0) for name, s in fired.items()} if self._events_matter else {}
        fed = {self._source: torch.tensor(batch, device="cpu")} | {
            name: torch.ones(len(batch), 1, dtype=torch.float32, device="cpu") for name in self._constants
        }
        activity = self._config.activity
        penalty = None if activity is None else penalized(fired, activity)
        return self._config.logit_scale * fired[self._output].sum(0), active | fed, penalty

    def correct(self, samples: NDArray, labels: NDArray) -> float:
        """Share of the samples that the output's spikes classify rightly."""
        output = self._output
        fired = (self._spikes(samples[part], [output])[output] for part in slices(len(samples), EVALUATION_BATCH))
        dense = [spikes.transpose(0, 1).bool().numpy() for spikes in fired]
        return accuracy(SpikeRaster.from_dense(np.concatenate(dense)), labels)

    def stepper(self, n_updates: int) -> Stepper:
        """AdamW, or the dynamics."""
        config = self._config
        if self._dynamics is None:
            return AdamW(self.module.parameters(), config, n_updates)
        projections: Sequence[Any] = self._network.projections
        weights = zip(projections, self.module.weights, strict=True)
        trained = [(p.pre, p.post, w) for p, w in weights if w.requires_grad]
        name = f"{config.surrogate}({config.slope:g})"
        return LangevinStepper(trained, self._dynamics, n_updates, name, self._network.populations[self._output].n)


def _ends(network: Network | IntegerNetwork) -> tuple[str, str]:
    """The data Input, and the population from which nothing leaves."""
    senders = {p.pre for p in network.projections}
    outputs = [name for name in network.neurons if name not in senders]
    sources = [name for name, source in network.inputs.items() if not source.constant]
    if len(sources) != 1 or len(outputs) != 1:
        raise DlmError(f"training needs one Input and one output population; the network has {sources} and {outputs}")
    return sources[0], outputs[0]


def _hold(network: Network | IntegerNetwork, module: SpikingModule, fixed: Collection[str]) -> None:
    """Take projections out of the training."""
    projections: Sequence[Any] = network.projections
    names = [projection.name for projection in projections]
    for name in fixed:
        if name not in names:
            raise DlmError(f"fixed names '{name}'; {nearest(name, names)}")
    for name, weight in zip(names, module.weights, strict=True):
        if name in fixed:
            weight.requires_grad_(False)
    if not any(weight.requires_grad for weight in module.weights):
        raise DlmError(f"every projection is fixed ({', '.join(names)}); leave one to be trained")


def _watched(network: Network | IntegerNetwork, module: SpikingModule) -> list[Watched]:
    """The trained layers, their weights in thresholds of the neurons that they reach."""
    projections: Sequence[Any] = network.projections
    found = []
    for projection, weight in zip(projections, module.weights, strict=True):
        neuron: Any = network.populations[projection.post]
        if weight.requires_grad:
            threshold = float(np.max(neuron.v_threshold)) / getattr(neuron, "scale", 1.0)
            found.append(Watched.of(projection.name, weight, threshold))
    return found
