"""How the DLM trains: Langevin weights, a thermostat, synaptic dissipation, and the balances over training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Literal

import torch
from pydantic import ConfigDict, Field
from torch import Tensor

from dlm_snn.config import Config
from dlm_snn.errors import DivergenceError, DlmError, nearest
from dlm_snn.physics.weights import thermostat
from dlm_snn.physics.weights.dissipation import DissipationKind, dissipate
from dlm_snn.physics.weights.divergence import diffusion, dominant
from dlm_snn.physics.weights.optimizer import Langevin
from dlm_snn.physics.weights.stability import check_sigma_weight, curvature_of
from dlm_snn.physics.weights.thermodynamics import ThermodynamicState, sigma_of
from dlm_snn.runs.run_metrics import Books


class LayerConfig(Config):
    """Constants of one layer; null: that of all.

    Attributes:
        temperature: T.
        friction: gamma; only where the whole network is underdamped.
        alpha: strength of the information current; a pair across layers takes the geometric mean of theirs.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    temperature: float | None = Field(default=None, ge=0)
    friction: float | None = Field(default=None, gt=0)
    alpha: float | None = Field(default=None, ge=0)


class DynamicsConfig(Config):
    """The Dissipative Learning Machine's constants.

    Attributes:
        step: h at the peak of its schedule.
        friction: gamma of the underdamped form; null: overdamped.
        temperature: T, in units of the mean loss.
        thermostat: "constant", "annealed" (to 0) or "uncertainty" (T times the entropy of the predictions).
        alpha: strength of the information current; 0: none.
        form: "antisymmetric" or "hebbian".
        function: "linear", "tanh" or "quadratic", of the current.
        current_as: "force" or "drift", in the underdamped form.
        injection_rate: P, power of random kicks outside the bath.
        dissipation: "event", "clock" (its control) or "none".
        dissipation_rate: share of a weight lost where pre and post are active in all samples of a batch, in a step at
            the peak of the schedule; it is a rate in time, so shorter steps lose less.
        dissipates: "hidden": synapses onto populations that send on; "all": those of the read-out too.
        warmup: share of the steps over which h rises to its peak; then it falls along a cosine.
        last_step: h at the end, as a share of its peak.
        sigma_weight: the objective is L - sigma_weight * sigma.
        curvature: largest curvature of the loss, if known: a step beyond its stability limit is refused.
        measure: heat, work and entropy production of every step; twice the time.
        layers: projection, such as "pixels->hidden" -> what differs there.
        seed: of the noise and of the current's pairs.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    step: float = Field(default=0.324, gt=0)
    friction: float | None = Field(default=0.325, gt=0)
    temperature: float = Field(default=1e-6, ge=0)
    thermostat: Literal["constant", "annealed", "uncertainty"] = "constant"
    alpha: float = Field(default=0.5, ge=0)
    form: Literal["antisymmetric", "hebbian"] = "antisymmetric"
    function: Literal["linear", "tanh", "quadratic"] = "linear"
    current_as: Literal["force", "drift"] = "force"
    injection_rate: float = Field(default=0.0, ge=0)
    dissipation: DissipationKind = "event"
    dissipation_rate: float = Field(default=1e-3, ge=0, le=1)
    dissipates: Literal["hidden", "all"] = "hidden"
    warmup: float = Field(default=0.2, ge=0, lt=1)
    last_step: float = Field(default=0.02, ge=0, le=1)
    sigma_weight: float = Field(default=0.0, ge=0)
    curvature: float | None = Field(default=None, gt=0)
    measure: bool = False
    layers: dict[str, LayerConfig] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0)


def one_cycle(config: DynamicsConfig, n_updates: int) -> Callable[[int], float]:
    """h as a share of its peak: a linear warm-up, then half a cosine."""
    rising = config.warmup * n_updates

    def share(update: int) -> float:
        if update < rising:
            return (update + 1) / (rising + 1)
        along = (update - rising) / max(n_updates - rising, 1)
        return config.last_step + (1 - config.last_step) * (1 + math.cos(math.pi * along)) / 2

    return share


Activities = Mapping[str, Tensor]
"""population -> (sample, neuron), nonzero where it was active in the batch."""


class LangevinStepper:
    """Updates weights batch by batch and books what that did.

    Args:
        weights: (pre, post, parameter) of every trained projection.
        config: the constants.
        n_updates: batches in all.
        surrogate: name of the surrogate, for the balance.
        n_classes: for the thermostat by uncertainty.
    """

    def __init__(
        self,
        weights: Sequence[tuple[str, str, Tensor]],
        config: DynamicsConfig,
        n_updates: int,
        surrogate: str | None,
        n_classes: int,
    ) -> None:
        if config.measure and config.form == "hebbian":
            raise DlmError(
                "dynamics.measure is for the antisymmetric current, form 'hebbian' has no balance; set measure to false"
            )
        if config.sigma_weight > 0 and config.thermostat != "constant":
            raise DlmError(
                f"dynamics.sigma_weight has a limit that falls with T; set thermostat to 'constant', not "
                f"'{config.thermostat}'"
            )
        self._weights, self._config, self._n_updates = list(weights), config, n_updates
        groups = self._groups()
        self._optimizer = Langevin(
            groups,
            config.step,
            torch.Generator().manual_seed(config.seed),
            temperature=config.temperature,
            friction=config.friction,
            alpha=config.alpha,
            form=config.form,
            function=config.function,
            current_as=config.current_as,
            injection_rate=config.injection_rate,
            warmup=0,
            measure=config.measure,
            surrogate=surrogate,
            curvature=config.curvature,
        )
        self._share = one_cycle(config, n_updates)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._share)
        made = {
            "constant": thermostat.constant,
            "annealed": thermostat.annealed,
            "uncertainty": thermostat.by_uncertainty,
        }[config.thermostat]
        self._thermostats = [made(group.get("temperature", config.temperature)) for group in groups]
        self._n_classes = n_classes
        self._updates, self._time = 0, 0.0
        self._booked: ThermodynamicState | None = None
        self._n_booked = 0

    def _groups(self) -> list[dict[str, Any]]:
        """A parameter group for each projection, with what its layer has for itself."""
        layers = dict(self._config.layers)
        groups = []
        for pre, post, parameter in self._weights:
            own = layers.pop(f"{pre}->{post}", LayerConfig())
            groups.append({"params": [(f"{pre}->{post}", parameter)], **own.model_dump(exclude_none=True)})
        if layers:
            wrong = next(iter(layers))
            hint = nearest(wrong, [f"{pre}->{post}" for pre, post, _ in self._weights])
            raise DlmError(f"dynamics.layers has no trained layer '{wrong}'; {hint}")
        return groups

    def update(self, evaluate: Callable[[], tuple[Tensor, Tensor, Activities]]) -> tuple[Tensor, Tensor]:
        """One batch.

        Args:
            evaluate: computes (loss, logits, activities) of the batch at the present weights, with a graph.

        Returns:
            Loss and logits before the step.
        """
        first: list[tuple[Tensor, Tensor, Activities]] = []

        def closure() -> Tensor:
            self._optimizer.zero_grad()
            loss, score, active = evaluate()
            self._objective(loss).backward()
            if not first:
                first.append((loss.detach(), score.detach(), active))
                self._prepare(score.detach(), active)
            return loss.detach()

        try:
            if self._config.measure:
                self._optimizer.step(closure)
            else:
                closure()
                self._optimizer.step()
        except DivergenceError as error:
            cause = self.cause(error.layer, math.inf)
            found = f"the training diverged: {error.found} in update {self._updates + 1}"
            raise DivergenceError(found, f"lower {cause}", error.layer) from error
        loss, score, active = first[0]
        self._dissipate(evaluate, active)
        self._time += self._config.step * self._share(self._updates)
        self._schedule.step()
        self._updates += 1
        self._book()
        return loss, score

    def cause(self, layer: int, size: float) -> str:
        """The constant that made a layer's weights so large: its key in a run's configuration, and its value."""
        config = self._config
        pre, post, _ = self._weights[layer]
        own = config.layers.get(f"{pre}->{post}", LayerConfig()).model_dump(exclude_none=True)
        constants = {**config.model_dump(exclude={"layers"}), **own}
        friction, injected = constants["friction"], constants["injection_rate"]
        # A noise is judged by steps of at most 1: longer ones are themselves the cause.
        time = max(self._time, config.step) / max(config.step, 1.0)
        noises = {
            "temperature": diffusion(constants["temperature"], friction, time),
            "injection_rate": diffusion(injected if friction is None else injected / friction, friction, time),
        }
        key = dominant(noises, constants["alpha"], size)
        place = f"layers.{pre}->{post}.{key}" if key in own else key
        return f"dynamics.{place} = {constants[key]:g}"

    def _objective(self, loss: Tensor) -> Tensor:
        """L - w sigma; the limit of w is checked at the first batch."""
        weight = self._config.sigma_weight
        if weight == 0:
            return loss
        parameters = [parameter for *_, parameter in self._weights]
        if self._updates == 0:
            curvature = curvature_of(loss, parameters, torch.Generator().manual_seed(0))
            check_sigma_weight(self._optimizer.dynamics, weight, curvature)
        sigma, _ = sigma_of(loss, parameters, self._optimizer.dynamics)
        return loss - weight * sigma

    def _prepare(self, score: Tensor, active: Activities) -> None:
        """Temperature and, in the Hebbian form, activities of this step."""
        config = self._config
        if config.thermostat != "constant":
            chances = score.softmax(1)
            entropy = -(chances * chances.clamp_min(1e-12).log()).sum(1).mean().item()
            moment = thermostat.Moment(
                self._updates, self._n_updates, uncertainty=thermostat.uncertainty(entropy, self._n_classes)
            )
            self._optimizer.set_temperature([at(moment) for at in self._thermostats])
        if config.form == "hebbian":
            for pre, post, parameter in self._weights:
                self._optimizer.activity(parameter, active[post].to(parameter), active[pre].to(parameter))

    def _dissipate(self, evaluate: Callable[[], tuple[Tensor, Tensor, Activities]], active: Activities) -> None:
        config = self._config
        if config.dissipation == "none" or config.dissipation_rate == 0:
            return

        def loss() -> float:
            with torch.no_grad():
                return float(evaluate()[0])

        rate = config.dissipation_rate * self._share(self._updates)
        senders = {pre for pre, _, _ in self._weights}
        for pre, post, parameter in self._weights:
            if config.dissipates == "hidden" and post not in senders:
                continue
            dissipate(parameter, active[post], active[pre], rate, config.dissipation)
        if config.measure:
            self._optimizer.book_synaptic(loss() - self._optimizer.end_loss)

    def _book(self) -> None:
        if self._optimizer.info is not None:
            self._booked = _summed(self._booked, self._optimizer.info)
            self._n_booked += 1

    def take_books(self) -> Books | None:
        """Means of the state's fields, and sums of heat and works, since the last call; None: nothing was booked."""
        booked, n, self._booked, self._n_booked = self._booked, self._n_booked, None, 0
        if booked is None:
            return None
        layers = [f"{pre}->{post}" for pre, post, _ in self._weights]

        def by_layer(value: Tensor) -> dict[str, float]:
            return dict(zip(layers, value.tolist(), strict=True))

        return Books(
            energy=_finite(booked.energy / n),
            entropy_production=_finite(booked.entropy_production / n),
            information_current=_finite(booked.information_current / n),
            dissipation=_finite(booked.dissipation / n),
            temperature=_finite(booked.temperature / n),
            housekeeping=_finite(booked.housekeeping / n),
            heat=by_layer(booked.heat),
            work_current=by_layer(booked.work_current),
            work_injection=by_layer(booked.work_injection),
            work_switching=float(booked.work_switching),
            work_synaptic=float(booked.work_synaptic),
            surrogate_work=float(booked.residual),
            energy_change=float(booked.energy_change),
        )


def _summed(total: ThermodynamicState | None, state: ThermodynamicState) -> ThermodynamicState:
    """Field by field, in double precision; 0 stands before the first."""
    names = [f.name for f in fields(state) if f.name != "surrogate"]
    before = [0.0 if total is None else getattr(total, name) for name in names]
    summed: dict[str, Any] = {n: sum_ + _double(getattr(state, n)) for n, sum_ in zip(names, before, strict=True)}
    return replace(state, **summed)


def _double(value: Tensor | float) -> Tensor:
    return (value if isinstance(value, Tensor) else torch.tensor(value, device="cpu")).double()


def _finite(value: Tensor | float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
