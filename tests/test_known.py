"""Whoever computes or writes a network refuses, by name, what is of a type that it does not know exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dlm_snn import (
    LIF,
    Chain,
    Dense,
    Input,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Projection,
    UnsupportedError,
    plugins,
    quantize,
    run,
    save,
    write_net,
    write_nir,
)
from dlm_snn.backends import reference
from dlm_snn.networks.known import check_known
from dlm_snn.neurons.models import ALL, MODELS
from dlm_snn.physics.membranes.event_driven import simulate_events
from dlm_snn.physics.membranes.ledger import membrane_ledger
from dlm_snn.physics.membranes.noise import with_noise
from dlm_snn.runs.recording import before_reset

GROUP = "dlm_snn.backends"
STIMULUS = {"x": np.ones((1, 2, 2), dtype=int)}


@dataclass(frozen=True, eq=False)
class AdaptiveLIF(LIF):
    """Computed as a LIF it would never adapt."""

    jump: float = 0.5


class OtherIntegerLIF(IntegerLIF):
    pass


class OtherInput(Input):
    pass


class OtherDense(Dense):
    pass


class OtherProjection(Projection):
    pass


class OtherIntegerProjection(IntegerProjection):
    pass


class OtherNetwork(Network):
    pass


class OtherIntegerNetwork(IntegerNetwork):
    pass


def floats(neuron=LIF, source=Input, dense=Dense, projection=Projection, network=Network) -> Network:
    part = projection("x", "cells", dense(np.full((1, 2), 0.5)))
    return network({"x": source((2,)), "cells": neuron((1,), dv=0.1)}, (part,))


def integers(neuron=IntegerLIF, projection=IntegerProjection, network=IntegerNetwork) -> IntegerNetwork:
    part = projection("x", "cells", Dense(np.full((1, 2), 64)))
    return network({"x": Input((2,)), "cells": neuron((1,), dv=400, v_threshold=100)}, (part,))


def in_a_chain() -> Network:
    chain = Chain((OtherDense(np.ones((3, 2))), Dense(np.ones((1, 3)))))
    return Network({"x": Input((2,)), "cells": LIF((1,), dv=0.1)}, (Projection("x", "cells", chain),))


FLOAT: dict[str, tuple[Callable[[], Network], str]] = {
    "neuron": (lambda: floats(neuron=AdaptiveLIF), "population 'cells' of type AdaptiveLIF"),
    "source": (lambda: floats(source=OtherInput), "population 'x' of type OtherInput"),
    "connection": (lambda: floats(dense=OtherDense), "the connection of 'x->cells' of type OtherDense"),
    "part": (in_a_chain, "the connection of 'x->cells' of type OtherDense"),
    "projection": (lambda: floats(projection=OtherProjection), "projection 'x->cells' of type OtherProjection"),
    "network": (lambda: floats(network=OtherNetwork), "a network of type OtherNetwork"),
}
INTEGER: dict[str, tuple[Callable[[], IntegerNetwork], str]] = {
    "neuron": (lambda: integers(neuron=OtherIntegerLIF), "population 'cells' of type OtherIntegerLIF"),
    "projection": (lambda: integers(projection=OtherIntegerProjection), "of type OtherIntegerProjection"),
    "network": (lambda: integers(network=OtherIntegerNetwork), "a network of type OtherIntegerNetwork"),
}


def refused(who: str, thing: str) -> Any:
    return pytest.raises(UnsupportedError, match=f"^{who} cannot do {thing}; it knows ")


@pytest.mark.parametrize(("arithmetic", "part"), [*(("float", k) for k in FLOAT), *(("integer", k) for k in INTEGER)])
@pytest.mark.parametrize("backend", sorted(plugins.names(GROUP)))
def test_each_backend_refuses_what_it_does_not_know_exactly(backend, arithmetic, part):
    """By its own ``run``, so that no way leads around the check."""
    if backend in ("snntorch", "brian2", "lava-float") and arithmetic == "integer":
        pytest.skip("takes floats alone")
    if backend == "lava-fixed" and arithmetic == "float":
        pytest.skip("takes integers alone")
    if backend.startswith("lava"):
        pytest.importorskip("lava")
    make, thing = (FLOAT if arithmetic == "float" else INTEGER)[part]
    with refused(backend, f".*{thing}"):
        plugins.load(GROUP, backend).run(make(), STIMULUS, 2)


def torch_module(network: Any) -> Any:
    from dlm_snn.backends.torch import SpikingModule

    return SpikingModule(network, lambda v: v)


def to_snntorch(network: Network) -> Any:
    from dlm_snn import to_snntorch as write

    return write(network)


def lava_graph(network: Network) -> Any:
    pytest.importorskip("lava")
    from lava_processes import build

    return build(network, "float", fused=True)


def fused(network: Network) -> Any:
    pytest.importorskip("lava")
    from lava_processes.fused.process import Fused

    return Fused(network=network)


def fused_run(network: Network) -> Any:
    pytest.importorskip("lava")
    from lava_processes.fused.process import FusedRun

    return FusedRun(network=network, samples=1, stimuli={}, spikes={}, traces={})


def ledger(network: Network) -> Any:
    recording = replace(reference.run(floats(), STIMULUS, 2, ("s", "u", "v")), network=network)
    return membrane_ledger(recording, STIMULUS, "cells")


DOORS: list[tuple[str, Callable[[Any], Any]]] = [
    ("quantize", quantize),
    ("NIR", write_nir),
    ("snnTorch", to_snntorch),
    ("torch", torch_module),
    ("lava-float", lava_graph),
    ("lava-fused", fused),
    ("lava-fused", fused_run),
    ("the event-driven simulator", lambda network: simulate_events(network, STIMULUS, 2)),
    ("the membrane ledger", ledger),
    ("a thermal bath", lambda network: with_noise(network, "cells", 0.1)),
]


@pytest.mark.parametrize("part", FLOAT)
@pytest.mark.parametrize(("who", "door"), DOORS)
def test_each_other_door_refuses_it(who, door, part):
    make, thing = FLOAT[part]
    with refused(who, thing):
        door(make())


@pytest.mark.parametrize("make", [FLOAT["neuron"][0], INTEGER["neuron"][0]])
def test_files_are_not_written(tmp_path, make):
    with refused("a network's files", r"population 'cells' of type \w+"):
        save(make(), tmp_path / "network")
    assert not list(tmp_path.iterdir())


def test_a_net_file_is_not_written(tmp_path):
    with refused("a .net file", "population 'cells' of type OtherIntegerLIF"):
        write_net(integers(neuron=OtherIntegerLIF), tmp_path / "integers.net")
    assert not list(tmp_path.iterdir())


def test_what_is_no_network_at_all_is_named():
    with refused("reference", "a network of type dict"):
        run({"cells": 3}, STIMULUS, 2)


def test_a_backend_of_another_package_says_what_it_knows(monkeypatch):
    """In ``KNOWN``; without it, it is given the models that everybody knows."""
    ran = []
    far = SimpleNamespace(run=lambda network, *_, **__: ran.append(network) or reference.run(floats(), STIMULUS, 2))
    backends = {"far": SimpleNamespace(load=lambda: far)}
    monkeypatch.setattr(plugins, "names", lambda group: backends if group == GROUP else {})
    with refused("far", "population 'cells' of type AdaptiveLIF"):
        run(floats(neuron=AdaptiveLIF), STIMULUS, 2, backend="far")
    run(floats(), STIMULUS, 2, backend="far")
    far.KNOWN = {AdaptiveLIF}
    run(floats(neuron=AdaptiveLIF), STIMULUS, 2, backend="far")
    with refused("far", "population 'cells' of type LIF"):
        run(floats(), STIMULUS, 2, backend="far")
    assert [type(network.populations["cells"]) for network in ran] == [LIF, AdaptiveLIF]


def test_a_model_of_the_table_is_known_to_those_that_it_names_alone(monkeypatch):
    monkeypatch.setattr(
        "dlm_snn.neurons.models.MODELS", {**MODELS, AdaptiveLIF: MODELS[LIF]._replace(known_to={"fast"})}
    )
    check_known(floats(neuron=AdaptiveLIF), "fast")
    for who in ALL - {"fast"} | {"far"}:
        with refused(who, "population 'cells' of type AdaptiveLIF"):
            check_known(floats(neuron=AdaptiveLIF), who)


def test_no_voltage_before_the_reset_is_made_up():
    recording = reference.run(floats(), STIMULUS, 2, ("s", "u", "v"))
    assert before_reset(recording, "cells") is not None
    assert before_reset(replace(recording, network=floats(neuron=AdaptiveLIF)), "cells") is None
