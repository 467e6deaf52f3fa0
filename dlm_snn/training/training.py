"""Training by surrogate gradients: a first network, the loop over batches, and the ReLU control.

Weights follow AdamW (plain) or the Dissipative Learning Machine's dynamics (``physics.trainer``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.backends.torch import SpikingModule
from dlm_snn.config import Config
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError
from dlm_snn.learning.batches import checked_samples
from dlm_snn.networks.network import Input, IntegerNetwork, Network, Projection
from dlm_snn.neurons.lif import LIF
from dlm_snn.physics.weights.divergence import Watched, check_finite, warn_of_guessing
from dlm_snn.physics.weights.trainer import Activities, DynamicsConfig, LangevinStepper
from dlm_snn.runs.metrics import accuracy
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.surrogate import surrogate

Labelled = tuple[NDArray, NDArray]
"""Samples (n, features) and their classes (n,)."""
Curve = list[dict[str, Any]]
"""One record an epoch: epoch, loss, train_accuracy, validation_accuracy (None without validation).

With measured dynamics also "thermodynamics", the books of the epoch; see LangevinStepper.take_books.
"""
Progress = Callable[[dict[str, Any]], None]
AnyNetwork = TypeVar("AnyNetwork", Network, IntegerNetwork)

EVALUATION_BATCH = 512


class TrainingConfig(Config):
    """How a network is trained: AdamW on the cross-entropy of logit_scale * output spike counts.

    Attributes:
        epochs, batch_size: passes over the data, samples a step.
        learning_rate: of AdamW; the peak where the schedule is one-cycle.
        weight_decay: of AdamW.
        schedule: "one-cycle" (torch's OneCycleLR) or "constant".
        surrogate, slope: name of a snnTorch surrogate and its steepness.
        logit_scale: logits = logit_scale * counts.
        seed: of the order of the samples.
        threads: of torch while training. Small networks train fastest on one, and sums keep their order.
    """

    epochs: int = Field(default=5, ge=1)
    batch_size: int = Field(default=128, ge=1)
    learning_rate: float = Field(default=0.004, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    surrogate: Literal["fast_sigmoid", "atan", "sigmoid"] = "atan"
    slope: float = Field(default=2.0, gt=0)
    logit_scale: float = Field(default=0.5, gt=0)
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=1, ge=1)


def initial_network(
    n_inputs: int,
    hidden: Sequence[int],
    n_classes: int,
    rng: np.random.Generator,
    *,
    dv: float,
    du: float = 1.0,
    v_threshold: float = 1.0,
    winners: int | None = None,
    groups: int = 1,
    graded_bits: int = 8,
    scale: float = 255.0,
) -> Network:
    """A feed-forward network with random weights: pixels -> hidden ... -> output.

    Weights are uniform in +-1/sqrt(fan-in), as those of torch.nn.Linear, and have float32 values.

    Args:
        n_inputs: pixels.
        hidden: sizes of the hidden populations: "hidden" if there is one, else "hidden1", "hidden2", ...
        n_classes: neurons of "output".
        rng: draws the weights, in the order of the projections.
        dv, du, v_threshold: of all neurons.
        winners, groups: the competition in hidden populations; "output" has none.
        graded_bits, scale: of the Input "pixels"; real value = integer / scale.
    """
    names = ["hidden"] if len(hidden) == 1 else [f"hidden{i}" for i in range(1, len(hidden) + 1)]
    populations: dict[str, Any] = {"pixels": Input((n_inputs,), graded_bits=graded_bits, scale=scale)}
    for name, n in zip(names, hidden, strict=True):
        populations[name] = LIF((n,), du=du, dv=dv, v_threshold=v_threshold, winners=winners, groups=groups)
    populations["output"] = LIF((n_classes,), du=du, dv=dv, v_threshold=v_threshold)
    order = list(populations)
    projections = [
        Projection(pre, post, Dense(first_weights(rng, populations[post].n, populations[pre].n)))
        for pre, post in pairwise(order)
    ]
    return Network(populations, projections)


def first_weights(rng: np.random.Generator, n_post: int, n_pre: int) -> NDArray[np.float32]:
    """Weights (post, pre), uniform in +-1/sqrt(fan-in)."""
    return rng.uniform(-1, 1, (n_post, n_pre)).astype(np.float32) / np.float32(math.sqrt(n_pre))


def train(
    network: AnyNetwork,
    x: NDArray,
    y: NDArray,
    config: TrainingConfig,
    n_steps: int,
    progress: Progress | None = None,
    validation: Labelled | None = None,
    dynamics: DynamicsConfig | None = None,
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

    Returns:
        The trained network (a Network's weights are the float32 values that were trained), and the curve.

    Raises:
        DlmError: data or a network that do not fit.
        DivergenceError: loss or weights that are not finite, or blown up; names the key that caused it.

    Warns:
        DivergenceWarning: an end no better than guessing, with a loss above that of equal chances.
    """
    source, output = _ends(network)
    given = network.inputs[source]
    extent = given.n, network.populations[output].n, given.bounds
    data = _checked((x, y), *extent)
    validation = None if validation is None else _checked(validation, *extent)
    module = SpikingModule(network, surrogate(config.surrogate, config.slope))

    constants = [name for name, given in network.inputs.items() if given.constant]
    events_matter = dynamics is not None and (dynamics.dissipation != "none" or dynamics.form == "hebbian")
    watched = list(network.neurons) if events_matter else [output]

    def spikes(batch: NDArray, populations: Sequence[str]) -> dict[str, Tensor]:
        return module({source: torch.tensor(batch, device="cpu")}, n_steps, populations)

    def correct(samples: NDArray, labels: NDArray) -> float:
        dense = [spikes(part, [output])[output].transpose(0, 1).bool().numpy() for part in _batches(samples)]
        return accuracy(SpikeRaster.from_dense(np.concatenate(dense)), labels)

    def answer(batch: NDArray) -> tuple[Tensor, Activities]:
        fired = spikes(batch, watched)
        active = {name: s.detach().sum(0) for name, s in fired.items()} if events_matter else {}
        fed = {source: torch.tensor(batch, device="cpu")} | {
            name: torch.ones(len(batch), 1, dtype=torch.float32, device="cpu") for name in constants
        }
        return config.logit_scale * fired[output].sum(0), active | fed

    def stepper(n_updates: int) -> Stepper:
        if dynamics is None:
            return _AdamW(module.parameters(), config, n_updates)
        trained = [(p.pre, p.post, w) for p, w in zip(network.projections, module.weights, strict=True)]
        trained = [(pre, post, w) for pre, post, w in trained if w.requires_grad]
        name = f"{config.surrogate}({config.slope:g})"
        return LangevinStepper(trained, dynamics, n_updates, name, network.populations[output].n)

    with _threads(config.threads):
        curve = _fit(stepper, answer, correct, data, config, progress, validation, _watched(network, module))
    return cast(AnyNetwork, module.network()), curve


class Stepper(Protocol):
    """Moves the weights, batch by batch."""

    def update(self, evaluate: Callable[[], tuple[Tensor, Tensor, Activities]]) -> tuple[Tensor, Tensor]:
        """One batch: (loss, logits) before the step, of what ``evaluate`` computes with a graph."""

    def take_books(self) -> dict[str, Any]:
        """What was measured since the last call."""

    def cause(self, layer: int, size: float) -> str:
        """The key that made a layer's weights so large, and its value."""


class _AdamW:
    """The plain recipe."""

    def __init__(self, parameters: Iterable[Tensor], config: TrainingConfig, n_updates: int) -> None:
        self._config = config
        rate, decay = config.learning_rate, config.weight_decay
        self._optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
        self._schedule = _schedule(self._optimizer, config, n_updates)

    def update(self, evaluate: Callable[[], tuple[Tensor, Tensor, Activities]]) -> tuple[Tensor, Tensor]:
        """One step of AdamW."""
        loss, score, _ = evaluate()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self._schedule.step()
        return loss.detach(), score.detach()

    def cause(self, layer: int, size: float) -> str:
        """The rate; or the decay, where it alone turns weights over and enlarges them."""
        config = self._config
        overturns = config.learning_rate * config.weight_decay > 2 and config.weight_decay > config.learning_rate
        key = "weight_decay" if overturns else "learning_rate"
        return f"training.{key} = {getattr(config, key):g}"

    def take_books(self) -> dict[str, Any]:
        """Nothing is measured: AdamW's scaling breaks the relation of noise to friction."""
        return {}


def _ends(network: Network | IntegerNetwork) -> tuple[str, str]:
    """The data Input, and the population from which nothing leaves."""
    senders = {p.pre for p in network.projections}
    outputs = [name for name in network.neurons if name not in senders]
    sources = [name for name, source in network.inputs.items() if not source.constant]
    if len(sources) != 1 or len(outputs) != 1:
        raise DlmError(f"training needs one Input and one output population; the network has {sources} and {outputs}")
    return sources[0], outputs[0]


def _checked(data: Labelled, n_features: int, n_classes: int, bounds: tuple[int, int]) -> Labelled:
    """Samples and classes as training computes with them; at least one."""
    x, y = checked_samples(*data, n_features, n_classes, bounds[1], bounds[0])
    if not len(y):
        raise DlmError("there are 0 samples; training needs at least one")
    return x, y


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


@dataclass(frozen=True, eq=False)
class ReluNetwork:
    """A network of rectified linear units, the control of the spiking one.

    x -> W x / scale + b -> max(0, .) -> ... -> W x + b; the class is the largest output.

    Attributes:
        weights: (post, pre) a layer, float32.
        biases: (post,) a layer, float32.
        scale: of the integer samples.
    """

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    scale: float

    def predict(self, x: NDArray) -> NDArray[np.int64]:
        """The class of each sample (sample, pixel)."""
        value = x.astype(np.float32) / np.float32(self.scale)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            value = np.maximum(value @ weight.T + bias, 0)
        return (value @ self.weights[-1].T + self.biases[-1]).argmax(axis=1)


def train_relu(
    sizes: Sequence[int],
    x: NDArray,
    y: NDArray,
    config: TrainingConfig,
    rng: np.random.Generator,
    scale: float = 255.0,
    progress: Progress | None = None,
    validation: Labelled | None = None,
) -> tuple[ReluNetwork, Curve]:
    """Train a ReLU network by the same loop, with the same data and budget; the control of ``train``.

    It has biases, which the spiking networks of ``initial_network`` lack; surrogate and logit_scale do not apply.

    Args:
        sizes: pixels, hidden units ..., classes.
        rng: draws the first weights, in +-1/sqrt(fan-in).
        scale: real value = integer / scale.
        x, y, config, progress, validation: as in ``train``.

    Returns:
        The trained network and the curve.
    """
    extent = sizes[0], sizes[-1], (0, int(scale))
    data = _checked((x, y), *extent)
    validation = None if validation is None else _checked(validation, *extent)
    weights = [
        torch.tensor(first_weights(rng, post, pre), device="cpu").requires_grad_() for pre, post in pairwise(sizes)
    ]
    biases = [torch.zeros(post, requires_grad=True, dtype=torch.float32, device="cpu") for post in sizes[1:]]

    def answer(batch: NDArray) -> tuple[Tensor, Activities]:
        value = torch.tensor(batch, device="cpu").float() / scale
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            value = torch.relu(value @ weight.T + bias)
        return value @ weights[-1].T + biases[-1], {}

    def stepper(n_updates: int) -> Stepper:
        return _AdamW([*weights, *biases], config, n_updates)

    def correct(samples: NDArray, labels: NDArray) -> float:
        return float(np.mean(frozen().predict(samples) == labels))

    def frozen() -> ReluNetwork:
        arrays = [tuple(p.detach().numpy().copy() for p in group) for group in (weights, biases)]
        return ReluNetwork(weights=arrays[0], biases=arrays[1], scale=scale)

    watched = [Watched.of(f"layer {i}", weight, 1.0) for i, weight in enumerate(weights, 1)]
    with _threads(config.threads):
        curve = _fit(stepper, answer, correct, data, config, progress, validation, watched)
    return frozen(), curve


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _fit(
    stepper: Callable[[int], Stepper],
    answer: Callable[[NDArray], tuple[Tensor, Activities]],
    correct: Callable[[NDArray, NDArray], float],
    data: Labelled,
    config: TrainingConfig,
    progress: Progress | None,
    validation: Labelled | None,
    watched: Sequence[Watched],
) -> Curve:
    """The loop over epochs and shuffled batches."""
    x, y = data
    labels = torch.tensor(y, dtype=torch.int64, device="cpu")
    rng = np.random.default_rng(config.seed)
    mover = stepper(config.epochs * math.ceil(len(x) / config.batch_size))
    curve = []
    for epoch in range(1, config.epochs + 1):
        loss_sum, hits = 0.0, 0
        order = rng.permutation(len(x))
        for start in range(0, len(x), config.batch_size):
            chosen = order[start : start + config.batch_size]
            batch, target = x[chosen], labels[chosen]

            def evaluate(batch: NDArray = batch, target: Tensor = target) -> tuple[Tensor, Tensor, Activities]:
                score, active = answer(batch)
                return torch.nn.functional.cross_entropy(score, target), score, active

            loss, score = mover.update(evaluate)
            loss_sum += loss.item() * len(chosen)
            # A sample without an output spike has no answer, rather than the first class.
            hits += int(((score.argmax(1) == target) & score.any(1)).sum())
        check_finite(watched, loss_sum / len(x), epoch, mover.cause)
        with torch.no_grad():
            measured = None if validation is None else correct(*validation)
        record: dict[str, Any] = {
            "epoch": epoch,
            "loss": loss_sum / len(x),
            "train_accuracy": hits / len(x),
            "validation_accuracy": measured,
        }
        if books := mover.take_books():
            record["thermodynamics"] = books
        curve.append(record)
        if progress is not None:
            progress(record)
    warn_of_guessing(watched, curve[-1]["loss"], curve[-1]["train_accuracy"], score.shape[1], mover.cause)
    return curve


def _schedule(optimizer: torch.optim.Optimizer, config: TrainingConfig, n_updates: int) -> Any:
    if config.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=config.learning_rate, total_steps=n_updates)


def _batches(x: NDArray) -> Iterable[NDArray]:
    return (x[start : start + EVALUATION_BATCH] for start in range(0, len(x), EVALUATION_BATCH))
