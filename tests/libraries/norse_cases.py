"""norse: options of the cells that are taken, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from norse.torch.functional.iaf import IAFParameters
from norse.torch.functional.leaky_integrator import LIParameters
from norse.torch.functional.leaky_integrator_box import LIBoxParameters
from norse.torch.functional.lif import LIFParameters
from norse.torch.functional.lif_box import LIFBoxParameters
from norse.torch.functional.reset import reset_subtract
from norse.torch.module.iaf import IAFCell
from norse.torch.module.leaky_integrator import LICell, LILinearCell
from norse.torch.module.leaky_integrator_box import LIBoxCell
from norse.torch.module.lif import LIFCell, LIFRecurrentCell
from norse.torch.module.lif_box import LIFBoxCell
from norse.torch.module.lif_refrac import LIFRefracCell
from torch import Tensor, nn

from tests.libraries.nets import Case, Library

DT = 2.0**-10
"""With tau_inv of powers of two their product is one, and v stays on a grid."""


def call(module: nn.Module, x: Tensor, state: Any) -> tuple[Tensor, Any]:
    return module(x, state)


def given(**values: Any) -> dict[str, Any]:
    return {key: value if callable(value) else torch.as_tensor(value) for key, value in values.items()}


def lif(dt: float = DT, tau_mem_inv: Any = 512.0, tau_syn_inv: Any = 256.0, **values: Any) -> Case:
    p = given(tau_mem_inv=tau_mem_inv, tau_syn_inv=tau_syn_inv, **values)
    return Case(lambda n: LIFCell(LIFParameters(**p), dt=dt))


def box(dt: float = DT, tau_mem_inv: Any = 512.0, **values: Any) -> Case:
    p = given(tau_mem_inv=tau_mem_inv, **values)
    return Case(lambda n: LIFBoxCell(LIFBoxParameters(**p), dt=dt))


def iaf(**values: Any) -> Case:
    return Case(lambda n: IAFCell(IAFParameters(**given(**values))))


def li(dt: float = DT, tau_mem_inv: Any = 128.0, tau_syn_inv: Any = 256.0, **values: Any) -> Case:
    p = given(tau_mem_inv=tau_mem_inv, tau_syn_inv=tau_syn_inv, **values)
    return Case(lif().hidden, lambda n: LICell(LIParameters(**p), dt=dt))


def by_neuron(n: int) -> nn.Module:
    tau = torch.tensor([512.0, 256.0, 128.0]).repeat(n)[:n]
    return LIFCell(LIFParameters(**given(tau_mem_inv=tau, tau_syn_inv=tau.flip(0))), dt=DT)


def filled(*weights: torch.Tensor) -> None:
    """Weights in quarters."""
    rng = np.random.default_rng(21)
    with torch.no_grad():
        for weight in weights:
            weight.copy_(torch.from_numpy(rng.integers(-4, 5, weight.shape) / 4))


def recurrent(n: int) -> nn.Module:
    cell = LIFRecurrentCell(n, n, LIFParameters(**given(tau_mem_inv=512.0, tau_syn_inv=512.0)), dt=DT)
    filled(cell.input_weights, cell.recurrent_weights)
    return cell


def weighted_read_out(n: int) -> nn.Module:
    cell = LILinearCell(n, 3, LIParameters(**given(tau_mem_inv=128.0, tau_syn_inv=256.0)), dt=DT)
    filled(cell.input_weights)
    return cell


def drawn(rng: np.random.Generator) -> Case:
    tau_mem_inv, tau_syn_inv = (torch.from_numpy(rng.uniform(50, 900, 1)) for _ in range(2))
    leak = rng.uniform(-1, 0.4)
    values: dict[str, Any] = {"v_leak": leak, "v_reset": leak, "v_th": rng.uniform(0.5, 1.5)}
    return (
        lif(0.001, tau_mem_inv, tau_syn_inv, **values),
        box(0.001, tau_mem_inv, **values),
        box(0.001, tau_mem_inv, **values, reset_method=reset_subtract),
        iaf(v_reset=leak, v_th=values["v_th"]),
        Case(recurrent),
    )[rng.integers(5)]


LIBRARY = Library(
    call,
    drawn,
    {
        "LIFCell": lif(),
        "LIFCell, norse's own taus": lif(0.001, 100.0, 200.0),
        "LIFCell, no filter": lif(tau_syn_inv=1024.0),
        "LIFCell, leak and reset below 0": lif(v_leak=-0.5, v_reset=-0.5, v_th=0.25),
        "LIFCell, one tau a neuron": Case(by_neuron),
        "LIFBoxCell": box(),
        "LIFBoxCell, norse's own taus": box(0.001, 100.0, v_th=0.5),
        "LIFBoxCell, subtract": box(reset_method=reset_subtract),
        "LIFBoxCell, subtract, leak above 0": box(tau_mem_inv=256.0, reset_method=reset_subtract, v_leak=0.25),
        "LIFRecurrentCell": Case(recurrent),
        "IAFCell": iaf(),
        "IAFCell, reset below 0": iaf(v_reset=-0.5),
        "LICell": li(),
        "LICell, norse's own taus": li(0.001, 100.0, 200.0),
        "LILinearCell": Case(lif().hidden, weighted_read_out),
        "LIBoxCell": Case(box().hidden, lambda n: LIBoxCell(LIBoxParameters(**given(tau_mem_inv=128.0)), dt=DT)),
    },
    {
        "leak is not reset": (lif(v_leak=-0.5), "v_leak"),
        "read above a leak": (li(v_leak=0.5), "begins at 0"),
        "reset of one's own": (box(reset_method=lambda z, v, reset, th: v - z * th), "reset_method"),
        "no charge": (lif(tau_mem_inv=0.0), "reaches the membrane"),
        "too short a tau": (lif(tau_syn_inv=2048.0), "du = 2.0"),
        "LIFRefracCell": (Case(lambda n: LIFRefracCell()), "LIFRefracCell"),
    },
)
