"""Langevin dynamics as a torch optimiser, for any training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from dlm_snn.errors import DlmError, nearest
from dlm_snn.physics.currents import FUNCTIONS, Paired, hebbian, paired
from dlm_snn.physics.langevin import Dynamics, State, advance, total_energy
from dlm_snn.physics.stability import check_step
from dlm_snn.physics.thermodynamics import ThermodynamicState, balance

FORMS = ("antisymmetric", "hebbian")
"""Forms of the information current; each may be taken through a function of currents.FUNCTIONS."""
LAYERED = ("temperature", "friction", "alpha", "mobility", "injection_rate")
"""What a parameter group may set for itself."""


class Langevin(torch.optim.Optimizer):
    """d theta = -(D + Q) grad L dt + sqrt(2 T D) dW, or its underdamped form with friction; see ``langevin``.

    ``lr`` is the step h, one for all groups; schedules of torch change it, and the noise with it. At T = 0, alpha = 0,
    without injection and warm-up it is torch's SGD with lr = h (overdamped) or with momentum c = exp(-friction h) and
    lr = h^2 (1 + c) / 2. Groups may set temperature, friction, alpha, mobility and injection_rate for themselves, D by
    mobility; what clips gradients or scales them by their history (Adam) breaks the relation of noise to friction.

    With ``measure`` every step also gives a ThermodynamicState, ``info``. It needs a closure, which is called at both
    ends of the step with one batch, as the balance wants; a full batch is evaluated once a step.

    Args:
        params: parameters or groups.
        lr: h.
        generator: draws the noise, and once the pairs of Q.
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
        defaults = {
            "lr": lr,
            "temperature": temperature,
            "friction": friction,
            "alpha": alpha,
            "mobility": mobility,
            "injection_rate": injection_rate,
        }
        super().__init__(params, defaults)
        self.info: ThermodynamicState | None = None
        self.end_loss = 0.0
        self._form, self._function, self._across = form, function, across
        self._current_as: Literal["force", "drift"] = current_as
        self._generator, self._warmup = generator, warmup
        self._measure, self._full_batch, self._surrogate = measure, full_batch, surrogate
        self._curvature, self._checked = curvature, 0.0
        self._steps = 0
        self._drive: dict[Tensor, Tensor] = {}
        self._end: Tensor | None = None
        self._cached: tuple[Tensor, Tensor] | None = None
        self._parameters = [p for group in self.param_groups for p in group["params"]]
        self._sizes = [p.numel() for p in self._parameters]
        self._dynamics = self._made_dynamics(self._drawn())

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, while the optimiser is made: torch calls this for each.

        Raises:
            DlmError: a constant that a group cannot have, or a group that comes later: Q pairs what is there at first.
        """
        if hasattr(self, "_dynamics"):
            raise DlmError("the current's pairs are drawn once; give all groups when the optimiser is made")
        for name in param_group:
            if name not in ("params", "param_names", "lr", "initial_lr", *LAYERED):
                raise DlmError(f"a parameter group has '{name}'; {nearest(name, ('lr', *LAYERED))}")
        super().add_param_group(param_group)

    def _drawn(self) -> Paired | None:
        """Q, with pairs drawn anew."""
        strengths, dtype = self._layered("alpha"), self._parameters[0].dtype
        if self._form != "antisymmetric" or not any(strengths):
            return None
        return paired(
            self._sizes, strengths, self._generator, across=self._across, function=self._function, dtype=dtype
        )

    def _made_dynamics(self, current: Paired | None) -> Dynamics:
        friction = self._layered("friction")
        if any(f is None for f in friction) and any(f is not None for f in friction):
            raise DlmError("friction is set for some groups only; set it for all, or for none (overdamped)")
        return Dynamics(
            temperature=self._spread(self._layered("temperature")),
            friction=None if friction[0] is None else self._spread(friction),
            mobility=self._spread(self._layered("mobility")),
            current=current,
            current_as=self._current_as,
            injection_rate=self._spread(self._layered("injection_rate")),
        )

    def _layered(self, name: str) -> list[Any]:
        """A group's value for each parameter tensor."""
        return [group[name] for group in self.param_groups for _ in group["params"]]

    def _spread(self, values: list[float]) -> Tensor | float:
        """One number where all layers agree, else one for every parameter."""
        if len(set(values)) == 1:
            return float(values[0])
        return torch.repeat_interleave(
            torch.tensor(values, dtype=self._parameters[0].dtype, device=self._parameters[0].device),
            torch.tensor(self._sizes, device=self._parameters[0].device),
        )

    def __getstate__(self) -> dict[str, Any]:
        """All of it, for pickle: torch keeps nothing that a kind of optimiser adds."""
        return {**vars(self), **super().__getstate__()}

    def state_dict(self) -> dict[str, Any]:
        """torch's, with the steps done and the pairs of Q, so that a loaded optimiser goes on where this one is."""
        current = self._dynamics.current
        pairs = {"partner": current.partner, "strength": current.strength} if isinstance(current, Paired) else None
        return {**super().state_dict(), "steps": self._steps, "pairs": pairs}

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from ``state_dict``: momenta, constants of the groups, steps done and pairs; the balance begins anew.

        Raises:
            DlmError: the state of another optimiser, which has no pairs of Q.
        """
        if not {"steps", "pairs"} <= state_dict.keys():
            raise DlmError("this is no state of Langevin: it has no steps and no pairs; give that of its state_dict()")
        super().load_state_dict(state_dict)
        pairs = state_dict["pairs"]
        self._dynamics = self._made_dynamics(Paired(**pairs, function=self._function) if pairs else None)
        self._steps, self._checked, self._end, self._cached = state_dict["steps"], 0.0, None, None

    @property
    def dynamics(self) -> Dynamics:
        """The constants of motion, Q included."""
        return self._dynamics

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
        self._dynamics = replace(self._dynamics, temperature=self._spread(self._layered("temperature")))

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
            DlmError: a gradient that is not finite, steps that differ between groups or are beyond the limit, or no
                closure where one is needed.
        """
        if self._measure and closure is None:
            raise DlmError("a balance needs the loss at both ends of a step; call step(closure)")
        h = self._step_length()
        theta = self._flat(p.detach() for p in self._parameters)
        loss, gradient = self._evaluated(closure)
        momentum = self._momentum(theta)
        drive = self._flat(self._driven(p) for p in self._parameters) if self._drive else None
        move = advance(theta, momentum, gradient, h, self._dynamics, self._generator, drive, self._measure)
        self._place(move.theta, move.momentum)
        self._drive = {}
        self._steps += 1
        if self._measure and loss is not None:
            before = State(theta, momentum, loss.double(), gradient)
            self._close(move, before, h, closure)
        return loss

    def _step_length(self) -> float:
        lengths = {float(group["lr"]) for group in self.param_groups}
        if len(lengths) != 1:
            raise DlmError(f"lr differs between groups: {sorted(lengths)}; time is one, give layers a mobility instead")
        h = lengths.pop() * min(1.0, (self._steps + 1) / max(self._warmup, 1))
        if self._curvature is not None and h > self._checked:
            check_step(self._dynamics, h, self._curvature)
            self._checked = h
        return h

    def _evaluated(self, closure: Callable[[], Tensor] | None) -> tuple[Tensor | None, Tensor]:
        """Loss, where there is a closure, and flat gradient at the present place."""
        if self._full_batch and self._cached is not None:
            return self._cached
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
            if loss is None:
                raise DlmError("the closure returned no loss; end it with 'return loss'")
            loss = loss.detach()
        zeros = (torch.zeros_like(p) if p.grad is None else p.grad for p in self._parameters)
        gradient = self._flat(zeros)
        if not torch.isfinite(gradient).all():
            raise DlmError("the gradient is not finite; lower the step (lr), or look for a division by 0 in the loss")
        return loss, gradient

    def _flat(self, tensors: Iterable[Tensor]) -> Tensor:
        return torch.cat([t.reshape(-1) for t in tensors])

    def _momentum(self, theta: Tensor) -> Tensor:
        if not self._dynamics.underdamped:
            return theta.new_empty(0)
        if not all("momentum" in self.state[p] for p in self._parameters):
            for p in self._parameters:
                self.state[p]["momentum"] = torch.zeros_like(p)
        return self._flat(self.state[p]["momentum"] for p in self._parameters)

    def _driven(self, parameter: Tensor) -> Tensor:
        """The Hebbian force on one weight."""
        strength = next(g["alpha"] for g in self.param_groups if any(p is parameter for p in g["params"]))
        return strength * self._drive[parameter] if parameter in self._drive else torch.zeros_like(parameter)

    def _place(self, theta: Tensor, momentum: Tensor) -> None:
        for i, (parameter, part) in enumerate(zip(self._parameters, theta.split(self._sizes), strict=True)):
            parameter.copy_(part.view_as(parameter))
            if self._dynamics.underdamped:
                self.state[parameter]["momentum"] = momentum.split(self._sizes)[i].view_as(parameter)

    def _close(self, move: Any, before: State, h: float, closure: Callable[[], Tensor] | None) -> None:
        """The balance of the step just made; one more evaluation, of the same batch."""
        self._cached = None
        loss, gradient = self._evaluated(closure)
        if loss is None:
            raise DlmError("a balance needs the loss at both ends of a step; call step(closure)")
        if self._full_batch:
            self._cached = loss, gradient
        self.end_loss = float(loss)
        after = State(move.theta, move.momentum, loss.double(), gradient)
        start, end = (total_energy(s, self._dynamics, h) for s in (before, after))
        info = balance(move, before.gradient, gradient, start, end, h, self._dynamics, self._sizes, self._surrogate)
        self.info = info if self._end is None else info.booked(switching=start - self._end)
        self._end = end

    def book_synaptic(self, work: float) -> None:
        """Book the loss's change by a synaptic dissipation after the step, measured on the same batch."""
        if self.info is None or self._end is None:
            raise DlmError("there is no measured step to book synaptic work with; measure=True")
        self.info = self.info.booked(synaptic=work)
        self._end = self._end + work
        self._cached = None
