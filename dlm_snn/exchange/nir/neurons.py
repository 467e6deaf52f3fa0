"""What a NIR node with a state is among our neurons."""

from __future__ import annotations

from math import prod
from typing import Any, Literal, NamedTuple

import nir
import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.exchange.nir.nodes import SILENT, TARGET, WHOLE, one_or_all
from dlm_snn.neurons.li import LI
from dlm_snn.neurons.lif import LIF

Reset = Literal["zero", "subtract"]
FLOAT32 = 2.0**-22
"""By which part a number in seconds may be off that went through float32: two roundings of 2^-23."""
TINY, HUGE, SLOW = 1e-2, 5.0, 2e-4
"""Factors of an IF's input below, of any input from, and decays below which dt is doubted: no writer known has them at
the dt that it wrote for, and the next one's dt is ten times away."""
REFRACTORY = "refractory_time"
"""Key of a node's metadata: seconds after a spike in which v is held. Source: neuromorphs/NIR, issue 138."""
_PARAMETERS = ("v_threshold", "v_reset", "v_leak", "r", "tau", "tau_mem", "tau_syn", "w_in")
_Values = NDArray[np.float64]


class Neurons(NamedTuple):
    """A node as a population.

    Attributes:
        population: v counted from where it starts.
        factor: of the population's input, one a neuron.
        back: where a spike leaves v, counted likewise, one a neuron; None: where it starts.
        assumed: what the file does not tell; empty: nothing.
        told: what stands in an unusual place; empty: nothing.
    """

    population: LIF | LI
    factor: _Values
    back: _Values | None = None
    assumed: str = ""
    told: str = ""


def axes_of(node: Any) -> tuple[int, ...]:
    """The shape of a node's parameters: of the largest."""
    return max((tuple(np.shape(getattr(node, key))) for key in _PARAMETERS if hasattr(node, key)), key=prod)


def neuron(name: str, node: Any, shape: tuple[int, ...], dt: float, reset: Reset) -> Neurons:
    """The population of a node.

    Forward Euler with the current first: u += dt/tau_syn (w_in a - u); v += dt/tau_mem (v_leak - v + r u); v is counted
    from v_leak, where it starts and is reset to, and u as r dt/tau_mem times the current, so that

        du = dt/tau_syn, dv = dt/tau_mem, v_threshold = v_threshold - v_leak, factor = w_in r dt^2 / (tau_syn tau_mem).

    IF: dv = 0, factor = r dt. LIF: du = 1, factor = r dt/tau. A time constant that float32 cannot tell from dt is dt.
    With another v_reset see ``_origin``. LI, CubaLI and I are the same without threshold and reset.

    Source: nir 1.0.8, nir/ir/neuron.py (the equations); Pedersen et al., Nature Communications 15:8122 (2024).

    Raises:
        UnsupportedError: a time constant below dt; several v_leak in neurons that are read by v; a v_reset other than
            v_leak beside a reset by subtraction or a refractory time; a refractory time that is no whole number of
            steps, or not one for all.
        DlmError: parameters that are not finite or of the wrong size, a threshold below where v starts.
    """
    n = prod(shape)
    du, dv, factor = _dynamics(name, node, n, dt)
    if isinstance(node, SILENT):
        return _read_by_v(name, node, LI(shape, du=one_or_all(du), dv=one_or_all(dv)), factor)
    v_threshold = _checked(name, node, "v_threshold", n)
    origin, bias, back, assumed = _origin(name, node, n, dv, reset)
    threshold = v_threshold - origin
    if threshold.min() < 0:
        raise DlmError(f"node '{name}': v_threshold lies {-threshold.min():g} below its rest; it would fire on its own")
    refractory = _refractory(name, node, dt)
    if refractory and (back is not None or reset != "zero"):
        other = "v_reset other than v_leak" if back is not None else "a reset by subtraction"
        raise UnsupportedError(TARGET, f"node '{name}' with a {REFRACTORY} beside {other}", "leave one of them out")
    each = {"du": du, "dv": dv, "v_threshold": threshold, "bias": bias}
    values = {key: one_or_all(value) for key, value in each.items()}
    told = f"{name}: refractory for {refractory} steps, as its metadata say" if refractory else ""
    return Neurons(LIF(shape, **values, reset=reset, refractory=refractory), factor, back, assumed, told)


def _dynamics(name: str, node: Any, n: int, dt: float) -> tuple[_Values, _Values, _Values]:
    """du, dv and the factor on the input, one a neuron."""
    r = _checked(name, node, "r", n)
    if isinstance(node, (nir.LIF, nir.LI)):
        dv = _decay(name, node, "tau", n, dt)
        return np.ones(n), dv, r * dv
    if isinstance(node, (nir.CubaLIF, nir.CubaLI)):
        du, dv = _decay(name, node, "tau_syn", n, dt), _decay(name, node, "tau_mem", n, dt)
        return du, dv, _checked(name, node, "w_in", n) * r * dv * du
    return np.ones(n), np.zeros(n), r * dt


def _read_by_v(name: str, node: Any, population: LI, factor: _Values) -> Neurons:
    """Neurons that never spike; their v is counted from v_leak, where NIR has it start."""
    leak = np.zeros(population.n) if isinstance(node, nir.I) else _checked(name, node, "v_leak", population.n)
    if np.ptp(leak):
        thing = f"node '{name}' ({type(node).__name__}) with v_leak = {_shown(leak)}, from which its v is counted"
        raise UnsupportedError(TARGET, thing, "give all its neurons one v_leak")
    told = f"{name}: v is counted from its v_leak = {leak[0]:.6g}" if leak[0] else ""
    return Neurons(population, factor, told=told)


def _origin(name: str, node: Any, n: int, dv: _Values, reset: Reset) -> tuple[_Values, _Values, _Values | None, str]:
    """Where v is counted from, what is added to it in every step, where a spike leaves it, and what that assumes.

    NIR does not tell where v starts. It rests at v_leak, and starts there; a spike leaves it at v_reset. Where v_leak
    lies above the threshold, v has no rest: it starts at v_reset and (v_leak - v_reset) dv is added in every step. An
    IF has no v_leak, and starts at v_reset.
    """
    v_reset, none = _checked(name, node, "v_reset", n), np.zeros(n)
    if isinstance(node, nir.IF):
        shown = f"v starts at v_reset = {_shown(v_reset)}, which NIR does not tell" if np.any(v_reset) else ""
        return v_reset, none, None, shown
    leak = _checked(name, node, "v_leak", n)
    if np.array_equal(v_reset, leak):
        return leak, none, None, ""
    both = f"v_reset = {_shown(v_reset)} and v_leak = {_shown(leak)}"
    if reset == "subtract":
        raise UnsupportedError(
            TARGET, f"node '{name}' with {both} beside reset='subtract'", "give reset='zero', which sets v to v_reset"
        )
    if np.any(leak > _checked(name, node, "v_threshold", n)):
        shown = f"{both}, above its threshold: v starts at v_reset, which NIR does not tell"
        return v_reset, (leak - v_reset) * dv, None, shown
    return leak, none, v_reset - leak, f"{both}: v starts at v_leak, which NIR does not tell"


def _refractory(name: str, node: Any, dt: float) -> int:
    """Steps after a spike in which v is held, from a node's metadata; 0: they have none."""
    given = (node.metadata or {}).get(REFRACTORY)
    if given is None:
        return 0
    try:
        times = np.asarray(given, dtype=np.float64).ravel() / dt
    except (TypeError, ValueError) as error:
        raise DlmError(f"node '{name}': its metadata '{REFRACTORY}' = {given!r} is no time in seconds") from error
    whole = np.round(times)
    if not times.size or not np.isfinite(times).all() or times.min() < 0:
        raise DlmError(f"node '{name}': its metadata '{REFRACTORY}' = {given!r} is no time in seconds")
    if np.ptp(whole) or np.any(np.abs(times - whole) > WHOLE * np.maximum(1, whole)):
        shown = f"node '{name}' with a {REFRACTORY} of {_shown(times)} steps of {dt:g} s"
        raise UnsupportedError(TARGET, shown, "give one whole number of steps for all its neurons, or another dt")
    return int(whole[0])


def _shown(values: _Values) -> str:
    low, high = values.min(), values.max()
    return f"{low:.6g}" if low == high else f"{low:.6g}..{high:.6g}"


def doubt(node: Any, population: LIF | LI, factor: _Values) -> str | None:
    """Why dt is hardly the one that a neuron was written for; None: nothing speaks against it.

    A writer's r is 1/dt for IF and I; for the others tau/dt (a factor of 1) or 1 (a factor of dv).
    """
    if factor.max() >= HUGE:
        return f"its input is multiplied by {factor.max():.4g}"
    held = isinstance(node, (nir.IF, nir.I))
    if held and factor.min() < TINY:
        return f"its input is multiplied by {factor.min():.4g}"
    for key in ("dv", "du"):
        decay = np.asarray(getattr(population, key))
        if not held and decay.min() < SLOW:
            return f"its {key} is {decay.min():.4g}"
    return None


def _checked(name: str, node: Any, key: str, n: int) -> _Values:
    values = np.asarray(getattr(node, key), dtype=np.float64).ravel()
    if values.size not in (1, n):
        raise DlmError(f"node '{name}': {key} has {values.size} numbers for {n} neurons")
    if not np.isfinite(values).all():
        at = int(np.argmin(np.isfinite(values)))
        raise DlmError(f"node '{name}': {key}[{at}] = {values[at]} is not finite")
    return np.broadcast_to(values, (n,))


def _decay(name: str, node: Any, key: str, n: int, dt: float) -> _Values:
    tau = _checked(name, node, key, n)
    if tau.min() <= 0:
        raise DlmError(f"node '{name}': {key} = {tau.min():g} is no time")
    decay = dt / tau
    if decay.max() > 1 + FLOAT32:
        raise UnsupportedError(
            TARGET,
            f"node '{name}' with {key} = {tau.min():g} s, below dt = {dt:g} s",
            "give the dt that it was written for (docs/exchange.md: snnTorch 1e-4, norse 1e-6), or a smaller one",
        )
    rough = FLOAT32 if np.array_equal(tau, tau.astype(np.float32)) else 2.0**-50
    return np.where(decay > 1 - rough, 1.0, decay)
