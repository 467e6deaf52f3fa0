"""NIR files that other frameworks write and read themselves: ``make test-libraries`` (DLM_LIBRARIES).

Their own exports come in with the spikes that the framework makes; what we write is read by norse and snnTorch, and
spikes there as here. rockpool's and sinabs' LIF decay by exp(-dt/tau) where their files say 1 - dt/tau, and norse's
LIFCell is not the CubaLIF of its file: those are compared with their files, in tests/test_nir_forms.py.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Callable
from typing import Any

import nir
import numpy as np
import pytest
import torch

import dlm_snn as dlm
from dlm_snn.exchange.nir.reader import read_nir
from dlm_snn.exchange.nir.writer import write_nir

pytestmark = [
    pytest.mark.skipif("DLM_LIBRARIES" not in os.environ, reason="needs the libraries themselves: make test-libraries"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
STEPS, N = 60, 20
Made = tuple[Any, list[np.ndarray], dict[str, Any]]
"""The library's graph, its spikes by layer (step, neuron), how the graph is read."""


def linear(n_in: int, n: int, scale: float) -> Any:
    """Weights off any grid: sinabs and spikingjelly fire at the threshold, NIR and we above it."""
    layer = torch.nn.Linear(n_in, n)
    for values in layer.parameters():
        values.data *= scale
    return layer


def spikes() -> Any:
    """(step, 1, neuron), float32."""
    return (torch.rand(STEPS, 1, N) < 0.4).float()


def stepped(layers: list[Any], x: Any, states: bool = False) -> list[np.ndarray]:
    """Spikes behind every second layer; with ``states`` a neuron takes and gives its own."""
    held, found = [None] * len(layers), [[] for _ in layers[1::2]]
    with torch.no_grad():
        for s in x:
            for k in range(0, len(layers), 2):
                s = layers[k](s)
                if states:
                    s, held[k + 1] = layers[k + 1](s, held[k + 1])
                else:
                    s = layers[k + 1](s)
                found[k // 2].append(s.numpy().ravel() > 0)
    return [np.array(one) for one in found]


def norse(x: Any) -> Made:
    """The file's tau is dt / tau_mem_inv, so that it is read at the square of dt."""
    import norse.torch as library

    layers = [linear(N, 30, 20), library.LIFBoxCell(), linear(30, 10, 20), library.LIFBoxCell()]
    graph = library.to_nir(library.SequentialState(*layers), torch.zeros(1, N))
    return graph, stepped(layers, x, states=True), {"dt": 1e-6, "reset": "zero"}


def norse_iaf(x: Any) -> Made:
    import norse.torch as library
    from norse.torch.module.iaf import IAFCell

    layers = [linear(N, 30, 1), IAFCell(), linear(30, 10, 2), IAFCell()]
    graph = library.to_nir(library.SequentialState(*layers), torch.zeros(1, N))
    return graph, stepped(layers, x, states=True), {"dt": 1.0, "reset": "zero"}


def sinabs(reset: str) -> Callable[[Any], Made]:
    def made(x: Any) -> Made:
        import sinabs.layers as library
        from sinabs.activation import MembraneReset, MembraneSubtract, SingleSpike
        from sinabs.nir import to_nir

        def iaf() -> Any:
            after = MembraneReset() if reset == "zero" else MembraneSubtract()
            return library.IAF(spike_fn=SingleSpike, reset_fn=after)

        layers = [linear(N, 30, 1), iaf(), linear(30, 10, 2), iaf()]
        with torch.no_grad():
            first = layers[1](layers[0](x.permute(1, 0, 2)))
            second = layers[3](layers[2](first))
            graph = to_nir(torch.nn.Sequential(*layers), x.permute(1, 0, 2))
        found = [s[0].numpy() > 0 for s in (first, second)]
        return graph, found, {"dt": 1.0, "reset": reset, "input_shape": (N,)}

    return made


def spikingjelly(decay_input: bool) -> Callable[[Any], Made]:
    def made(x: Any) -> Made:
        from spikingjelly.activation_based import functional, neuron
        from spikingjelly.activation_based.nir_exchange import export_to_nir

        layers = [linear(N, 30, 4), neuron.LIFNode(tau=2.0, decay_input=decay_input), linear(30, 10, 2)]
        layers += [neuron.IFNode(v_threshold=1.3), linear(10, 9, 4), neuron.CUBALIFNode(c_decay=0.5, v_decay=0.75)]
        net = torch.nn.Sequential(*layers)
        graph = export_to_nir(net, torch.zeros(1, N), dt=1e-4)
        functional.reset_net(net)
        return graph, stepped(layers, x), {"dt": 1e-4, "reset": "zero"}

    return made


def snntorch(reset: str) -> Callable[[Any], Made]:
    def made(x: Any) -> Made:
        import snntorch as library
        from snntorch import utils
        from snntorch.export_nir import export_to_nir

        def leaky(n: int) -> Any:
            each = {"beta": torch.full((n,), 0.875), "threshold": torch.ones(n)}
            # A reset to zero is delayed by a step there, and is none of NIR's; the subtraction is ours.
            return library.Leaky(**each, init_hidden=True, reset_mechanism=reset, reset_delay=reset == "subtract")

        layers = [linear(N, 30, 1), leaky(30), linear(30, 10, 3), leaky(10)]
        net = torch.nn.Sequential(*layers)
        graph = export_to_nir(net, torch.zeros(N))
        utils.reset(net)
        return graph, stepped(layers, x[:, 0]), {"dt": 1e-4, "reset": reset}

    return made


def snntorch_loops(x: Any) -> Made:
    import snntorch as library
    from snntorch import utils
    from snntorch.export_nir import export_to_nir

    def made(n: int) -> dict[str, Any]:
        return {"beta": torch.full((n,), 0.875), "threshold": torch.ones(n), "linear_features": n, "init_hidden": True}

    second = library.RSynaptic(alpha=torch.full((10,), 0.5), **made(10))
    layers = [linear(N, 30, 2), library.RLeaky(**made(30)), linear(30, 10, 3), second]
    net = torch.nn.Sequential(*layers)
    graph = export_to_nir(net, torch.zeros(N))
    utils.reset(net)
    return graph, stepped(layers, x[:, 0]), {"dt": 1e-4, "reset": "subtract"}


WRITERS: dict[str, Callable[[Any], Made]] = {
    "norse LIFBoxCell": norse,
    "norse IAFCell": norse_iaf,
    "sinabs IAF, zero": sinabs("zero"),
    "sinabs IAF, subtract": sinabs("subtract"),
    "spikingjelly": spikingjelly(decay_input=True),
    "spikingjelly without decay_input": spikingjelly(decay_input=False),
    "snnTorch, zero": snntorch("zero"),
    "snnTorch, subtract": snntorch("subtract"),
    "snnTorch, loops": snntorch_loops,
}


@pytest.mark.parametrize("name", WRITERS)
def test_their_own_exports_make_their_own_spikes(name, tmp_path):
    torch.manual_seed(0)
    x = spikes()
    graph, theirs, options = WRITERS[name](x)
    nir.write(tmp_path / "theirs.nir", graph, compression=None)
    network = read_nir(tmp_path / "theirs.nir", **options)
    given = dlm.SpikeRaster.from_dense(x[:, 0].numpy()[None] > 0)
    ours = dlm.run(network, {next(iter(network.inputs)): given}, STEPS).rasters
    assert len(ours) == len(theirs)
    for raster, other in zip(ours.values(), theirs, strict=True):
        assert 0.02 < other.mean() < 0.8
        assert np.array_equal(raster.dense()[0], other)


def test_norse_reads_out_the_same_v(tmp_path):
    """LIBoxCell, without spikes: v within what float32 leaves."""
    import norse.torch as library

    torch.manual_seed(0)
    x, layers = spikes(), [linear(N, 30, 20), library.LIFBoxCell(), linear(30, 10, 5), library.LIBoxCell()]
    graph = library.to_nir(library.SequentialState(*layers), torch.zeros(1, N))
    nir.write(tmp_path / "theirs.nir", graph, compression=None)
    held, theirs = [None, None], []
    with torch.no_grad():
        for s in x:
            s, held[0] = layers[1](layers[0](s), held[0])
            v, held[1] = layers[3](layers[2](s), held[1])
            theirs.append(v.numpy().ravel())
    network = read_nir(tmp_path / "theirs.nir", 1e-6, reset="zero")
    given = {next(iter(network.inputs)): dlm.SpikeRaster.from_dense(x[:, 0].numpy()[None] > 0)}
    ours = dlm.run(network, given, STEPS, ("s", "v")).v["n3"][0]
    assert np.abs(ours).max() > 0.5
    assert np.allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(ours).max())


def grid(generator: np.random.Generator, *shape: int, scale: float = 1.0) -> dlm.Dense:
    return dlm.Dense(np.round(generator.normal(0.05, 0.5, shape) * 64 * scale) / 64)


def network_of(kind: str) -> dlm.Network:
    """x -> a -> b; decays are powers of two, so that float32 rounds nothing."""
    generator = np.random.default_rng(3)
    neuron = {"if": {"dv": 0.0}, "cuba": {"dv": 0.125, "du": 0.5}}.get(kind, {"dv": 0.125})
    first, second = grid(generator, 30, N, scale=0.3 if kind == "if" else 0.7), grid(generator, 10, 30)
    biases = {"bias": np.round(generator.normal(0, 4, 30)) / 64} if kind == "lif" else {}
    populations = {"x": dlm.Input((N,)), "a": dlm.LIF((30,), **neuron, **biases), "b": dlm.LIF((10,), dv=0.25)}
    if kind == "images":
        kernel = np.round(generator.normal(0.05, 0.5, (3, 2, 2, 2)) * 64) / 64
        populations |= {"x": dlm.Input((2, 5, 2)), "a": dlm.LIF((3, 4, 1), dv=0.125)}
        return dlm.Network(
            populations,
            [
                dlm.Projection("x", "a", dlm.Conv2d(kernel, (2, 5, 2))),
                dlm.Projection("a", "b", grid(generator, 10, 12)),
            ],
        )
    ways = [dlm.Projection("x", "a", first), dlm.Projection("a", "b", second)]
    if kind == "loop":
        ways.append(dlm.Projection("a", "a", grid(generator, 30, 30, scale=0.3)))
    return dlm.Network(populations, ways)


def by_norse(graph: nir.NIRGraph, x: Any) -> np.ndarray:
    from norse.torch.utils.import_nir import from_nir

    logging.disable(logging.WARNING)  # it warns of an IF's r, which it leaves out
    try:
        module, state, found = from_nir(graph, dt=1e-4), None, []
    finally:
        logging.disable(logging.NOTSET)
    with torch.no_grad():
        for s in x:
            y, state = module(s[None], state)
            found.append(y.numpy().ravel() > 0)
    return np.array(found)


def by_snntorch(graph: nir.NIRGraph, x: Any) -> np.ndarray:
    from snntorch.import_nir import import_from_nir

    with contextlib.redirect_stdout(io.StringIO()):
        module = import_from_nir(graph)
    found = []
    with torch.no_grad():
        for s in x:
            y = module(s[None] if s.ndim > 1 else s)
            found.append((y[0] if isinstance(y, tuple) else y).numpy().ravel() > 0)
    return np.array(found)


READERS = {
    # snnTorch refuses our IF (it reads an IF as a leak of .1) and changes the order of loops, in files of its own too.
    **{f"norse, {kind}": (by_norse, kind) for kind in ("lif", "cuba", "if", "loop", "images")},
    **{f"snnTorch, {kind}": (by_snntorch, kind) for kind in ("lif", "cuba", "images")},
}


@pytest.mark.parametrize("name", READERS)
def test_what_we_write_spikes_there_as_here(name):
    read, kind = READERS[name]
    network = network_of(kind)
    source = network.inputs["x"]
    x = np.random.default_rng(5).random((STEPS, *source.shape)) < 0.4
    given = {"x": dlm.SpikeRaster.from_dense(x.reshape(1, STEPS, -1))}
    ours = dlm.run(network, given, STEPS).rasters["b"].dense()[0]
    theirs = read(write_nir(network, dt=1e-4), torch.tensor(x.astype(np.float32)))
    assert 0.02 < ours.mean() < 0.8
    assert np.array_equal(ours, theirs)
