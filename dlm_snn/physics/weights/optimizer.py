"""Langevin dynamics as a torch optimizer, for any training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from dlm_snn.errors import DivergenceError, DlmError, nearest
from dlm_snn.physics.weights.currents import FUNCTIONS, hebbian
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.flat import flat, part, split
from dlm_snn.physics.weights.langevin import State, advance, total_energy
from dlm_snn.physics.weights.motion import LAYERED, SHAPING, Motion
from dlm_snn.physics.weights.stability import check_step
from dlm_snn.physics.weights.thermodynamics import ThermodynamicState, balance

FORMS = ("antisymmetric", "hebbian")
"""Forms of the information current; each may be taken through a function of currents.FUNCTIONS."""


def _check(lr: float, form: str, function: str, warmup: int, measure: bool) -> None:
    if form not in FORMS:
        raise DlmError(f"form = '{form}'; {nearest(form, FORMS)}")
    if function not in FUNCTIONS:
        raise DlmError(f"function = '{function}'; {nearest(function, FUNCTIONS)}")
    if measure and form == "hebbian":
        raise DlmError("no balance is defined for the Hebbian current; measure=False, or form='antisymmetric'")
    if not (math.isfinite(lr) and lr > 0):
        raise DlmError(f"lr = {lr}: the step h is positive")
    if warmup < 0:
        raise DlmError(f"warmup = {warmup}: give a number of steps >= 0")


class Langevin(torch.optim.Optimizer):
    """d theta = -(D + Q) grad L dt + sqrt(2 T D) dW, or its underdamped form with friction; see ``langevin``.

    ``lr`` is the step h, one for all groups; schedules of torch change it, and the noise with it. At T = 0, alpha = 0,
    without injection and warm-up it is torch's SGD with lr = h (overdamped) or with momentum c = exp(-friction h) and
    lr = h^2 (1 + c) / 2. Groups may set temperature, friction, alpha, mobility and injection_rate for themselves, D by
    mobility; what is written into ``param_groups`` counts from the next step. A parameter without a gradient stays
    where it is, and is nobody's partner. What clips gradients or scales them by their history (Adam) breaks the
    relation of noise to friction.

    With ``measure`` every step also gives a ThermodynamicState, ``info``. It needs a closure, which is called at both
    ends of the step with one batch, as the balance wants; a full batch is evaluated once a step.

    Args:
        params: parameters or groups.
        lr: h.
        generator: draws the noise, and once the pairs of Q, among the parameters that require a gradient.
        temperature: T, in units of the loss.
        friction: gamma of the underdamped form; None: overdamped.
        alpha: strength of the current; 0: none.
        form: "antisymmetric", or "hebbian" (see ``activity``), for which no balance is defined.
        function: "linear", "tanh" or "quadratic", of the current.
        current_as: "force" or "drift", in the underdamped form.
        across: whether pairs may join layers.
        mobility: D of the overdamped form.
        injection_rate: P, power of random kicks outside the bath.
        warmup: steps over which h grows from h / warmup; 0: none.
        measure: whether to measure.
        full_batch: the closure's loss is always the same function.
        surrogate: name of the surrogate whose gradient this is, for the balance's ``surrogate_work``.
        curvature: largest curvature of the loss, if known: a step beyond its stability limit is refused.

    Attributes:
        info: ThermodynamicState of the last measured step.
        end_loss: loss after it, on its own batch.

    Raises:
        DlmError: values out of range, or a balance where none is defined.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        generator: torch.Generator,
        *,
        temperature: float = 0.0,
        friction: float | None = None,
        alpha: float = 0.0,
        form: Literal["antisymmetric", "hebbian"] = "antisymmetric",
        function: str = "linear",
        current_as: Literal["force", "drift"] = "force",
        across: bool = True,
        mobility: float = 1.0,
        injection_rate: float = 0.0,
        warmup: int = 100,
        measure: bool = False,
        full_batch: bool = False,
        surrogate: str | None = None,
        curvature: float | None = None,
    ) -> None:
        _check(lr, form, function, warmup, measure)
        constants = temperature, friction, alpha, mobility, injection_rate
        super().__init__(params, {"lr": lr, **dict(zip(LAYERED, constants, strict=True))})
        self.info: ThermodynamicState | None = None
        self.end_loss = 0.0
        self._form, self._function = form, function
        self._generator, self._warmup = generator, warmup
        self._measure, self._full_batch, self._surrogate = measure, full_batch, surrogate
        self._curvature = curvature
        self._checked: tuple[list[Any], float] = ([], 0.0)
        self._steps = 0
        self._drive: dict[Tensor, Tensor] = {}
        self._end: Tensor | None = None
        self._moved: tuple[bool, ...] = ()
        self._cached: tuple[Tensor | None, Tensor, tuple[bool, ...]] | None = None
        self._parameters = [p for group in self.param_groups for p in group["params"]]
        self._sizes = [p.numel() for p in self._parameters]
        paired = form == "antisymmetric"
        self._motion = Motion(
            self._parameters, generator, paired=paired, function=function, current_as=current_as, across=across
        )
        self._motion.dynamics(self.param_groups)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, while the optimizer is made: torch calls this for each.

        Raises:
            DlmError: a constant that a group cannot have, or a group that comes later: Q pairs what is there at first.
        """
        if hasattr(self, "_motion"):
            raise DlmError("the current's pairs are drawn once; give all groups when the optimizer is made")
        for name in param_group:
            if name not in ("params", "param_names", "lr", "initial_lr", *LAYERED):
                raise DlmError(f"a parameter group has '{name}'; {nearest(name, ('lr', *LAYERED))}")
        super().add_param_group(param_group)

    def __getstate__(self) -> dict[str, Any]:
        """All of it, for pickle: torch keeps nothing that a kind of optimizer adds."""
        return {**vars(self), **super().__getstate__()}

    def state_dict(self) -> dict[str, Any]:
        """torch's, with steps, pairs of Q and the generator's state: another goes on with it, bit by bit."""
        drawn = self._motion.pairs
        pairs = None if drawn is None else dict(zip(("partner", "sign"), drawn, strict=True))
        own = {"steps": self._steps, "pairs": pairs, "generator": self._generator.get_state()}
        return {**super().state_dict(), **own}

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from ``state_dict``: momenta, constants of the groups, steps, pairs and noise; the balance begins anew.

        Raises:
            DlmError: the state of another optimizer, which has no steps, pairs of Q and generator.
        """
        if not {"steps", "pairs", "generator"} <= state_dict.keys():
            raise DlmError("this is no state of Langevin: it has no steps, pairs and generator; give its state_dict()")
        super().load_state_dict(state_dict)
        pairs = state_dict["pairs"]
        self._motion.pairs = None if pairs is None else (pairs["partner"], pairs["sign"])
        self._motion.forget()
        self._generator.set_state(state_dict["generator"].cpu())
        self._steps, self._checked, self._end, self._cached = state_dict["steps"], ([], 0.0), None, None

    @property
    def dynamics(self) -> Dynamics:
        """The constants of motion of all parameters, Q included."""
        return self._motion.dynamics(self.param_groups)

    def set_temperature(self, temperature: float | Sequence[float]) -> None:
        """Give all groups another temperature, or each its own, as thermostats do between steps.

        Raises:
            DlmError: T < 0, or not as many temperatures as groups.
        """
        given = [temperature] * len(self.param_groups) if isinstance(temperature, (int, float)) else list(temperature)
        if len(given) != len(self.param_groups):
            raise DlmError(f"{len(given)} temperatures for {len(self.param_groups)} groups; give one, or one for each")
        for group, value in zip(self.param_groups, given, strict=True):
            group["temperature"] = value
        self._motion.dynamics(self.param_groups)

    def activity(self, parameter: Tensor, post: Tensor, pre: Tensor) -> None:
        """Activities (sample, neuron) by which the next step's Hebbian current of a weight (post, pre) is made."""
        if self._form != "hebbian":
            raise DlmError("activities are for form='hebbian'")
        self._drive[parameter] = hebbian(post.detach(), pre.detach(), self._function)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Any:  # type: ignore[override]
        """Move by one step.

        Args:
            closure: clears the gradients, computes the loss and its gradients, returns the loss; needed to measure.

        Returns:
            The loss before the step, where a closure gave it.

        Raises:
            DlmError: a gradient that is not finite, or a place that would not be (nothing has moved then); steps that
                differ between groups or are beyond the limit; no closure where one is needed.
        """
        if self._measure and closure is None:
            raise DlmError("a balance needs the loss at both ends of a step; call step(closure)")
        h = self._step_length()
        loss, gradient, moving = self._evaluated(closure, h)
        if any(moving):
            self._move(loss, gradient, moving, h, closure)
        self._drive = {}
        self._steps += 1
        return loss

    def _move(
        self,
        loss: Tensor | None,
        whole: Tensor,
        moving: tuple[bool, ...],
        h: float,
        closure: Callable[[], Tensor] | None,
    ) -> None:
        """Move what has a gradient, and close the balance."""
        dynamics = self._motion.dynamics(self.param_groups, moving)
        parameters = [p for p, here in zip(self._parameters, moving, strict=True) if here]
        theta = flat(p.detach() for p in parameters)
        gradient = part(whole, self._sizes, moving)
        momentum = self._momentum(parameters, theta, dynamics)
        drive = flat(self._driven(p) for p in parameters) if self._drive else None
        move = advance(theta, momentum, gradient, h, dynamics, self._generator, drive, self._measure)
        self._require_finite("weights", move.theta, moving, h)
        self._require_finite("momenta", move.momentum, moving, h)
        for parameter, values in zip(parameters, split(move.theta, parameters), strict=True):
            parameter.copy_(values)
        if move.momentum.numel():
            for parameter, values in zip(parameters, split(move.momentum, parameters), strict=True):
                self.state[parameter]["momentum"] = values
        if self._measure and loss is not None:
            before = State(theta, momentum, loss.double(), gradient)
            self._close(move, before, h, dynamics, moving, closure)

    def _step_length(self) -> float:
        lengths = {float(group["lr"]) for group in self.param_groups}
        if len(lengths) != 1:
            raise DlmError(f"lr differs between groups: {sorted(lengths)}; time is one, give layers a mobility instead")
        given = lengths.pop()
        if not (math.isfinite(given) and given >= 0):
            raise DlmError(f"lr = {given}: the step h is positive")
        h = given * min(1.0, (self._steps + 1) / max(self._warmup, 1))
        if self._curvature is not None:
            dynamics = self._motion.dynamics(self.param_groups)
            shaping = [tuple(layer[i] for i in SHAPING) for layer in self._motion.constants]
            if shaping != self._checked[0] or h > self._checked[1]:
                check_step(dynamics, h, self._curvature)
                self._checked = shaping, h
        return h

    def _evaluated(
        self, closure: Callable[[], Tensor] | None, h: float
    ) -> tuple[Tensor | None, Tensor, tuple[bool, ...]]:
        """Loss, where there is a closure; flat gradient at the present place; and which parameters have one."""
        if self._full_batch and self._cached is not None:
            return self._cached
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
            if loss is None:
                raise DlmError("the closure returned no loss; end it with 'return loss'")
            loss = loss.detach()
            if not torch.isfinite(loss):
                raise DivergenceError(
                    f"the loss is {float(loss)} at h = {h:g}", "lower the step (lr), or look at the data"
                )
        moving = tuple(p.requires_grad and p.grad is not None for p in self._parameters)
        gradient = flat(torch.zeros_like(p) if p.grad is None else p.grad for p in self._parameters)
        self._require_finite("gradient", gradient, (True,) * len(moving), h)
        return loss, gradient, moving

    def _require_finite(self, what: str, values: Tensor, moving: Sequence[bool], h: float) -> None:
        """Raise where one of the values (parameter that moves,) is not finite; names its layer and its constants."""
        if not values.numel() or torch.isfinite(values.sum()) or torch.isfinite(values).all():
            return
        parts = values.split(self._moving_sizes(moving))
        layer = next(i for i, part in enumerate(parts) if not torch.isfinite(part).all())
        names = [name for group in self.param_groups for name in group.get("param_names", ())]
        place = f"'{names[layer]}'" if names else f"parameter {layer} of shape {tuple(self._parameters[layer].shape)}"
        self._motion.dynamics(self.param_groups)
        temperature, friction, *_ = self._motion.constants[layer]
        raise DivergenceError(
            f"{what} of {place} not finite (T = {temperature:g}, h = {h:g}, friction = {friction})",
            "lower the step (lr), or look for a division by 0 in the loss",
            layer,
        )

    def _moving_sizes(self, moving: Sequence[bool]) -> list[int]:
        """Parameters of each layer, 0 where it stays."""
        return [n if here else 0 for n, here in zip(self._sizes, moving, strict=True)]

    def _momentum(self, parameters: Sequence[Tensor], theta: Tensor, dynamics: Dynamics) -> Tensor:
        if not dynamics.underdamped:
            return theta.new_empty(0)
        for p in parameters:
            if "momentum" not in self.state[p]:
                self.state[p]["momentum"] = torch.zeros_like(p)
        return flat(self.state[p]["momentum"] for p in parameters)

    def _driven(self, parameter: Tensor) -> Tensor:
        """The Hebbian force on one weight."""
        strength = next(g["alpha"] for g in self.param_groups if any(p is parameter for p in g["params"]))
        return strength * self._drive[parameter] if parameter in self._drive else torch.zeros_like(parameter)

    def _close(
        self,
        move: Any,
        before: State,
        h: float,
        dynamics: Dynamics,
        moving: tuple[bool, ...],
        closure: Callable[[], Tensor] | None,
    ) -> None:
        """The balance of the step just made; one more evaluation, of the same batch."""
        self._cached = None
        loss, whole, _ = self._evaluated(closure, h)
        if loss is None:
            raise DlmError("a balance needs the loss at both ends of a step; call step(closure)")
        if self._full_batch:
            self._cached = loss, whole, moving
        self.end_loss = float(loss)
        gradient = part(whole, self._sizes, moving)
        after = State(move.theta, move.momentum, loss.double(), gradient)
        start, end = (total_energy(s, dynamics, h) for s in (before, after))
        sizes = self._moving_sizes(moving)
        info = balance(move, before.gradient, gradient, start, end, h, dynamics, sizes, self._surrogate)
        # What moves now and did not, or the other way round, is another system: nothing was switched.
        if moving != self._moved:
            self._end = None
        self.info = info if self._end is None else info.booked(switching=start - self._end)
        self._end, self._moved = end, moving

    def book_synaptic(self, work: float) -> None:
        """Book the loss's change by a synaptic dissipation after the step, measured on the same batch."""
        if self.info is None or self._end is None:
            raise DlmError("there is no measured step to book synaptic work with; measure=True")
        self.info = self.info.booked(synaptic=work)
        self._end = self._end + work
        self._cached = None
