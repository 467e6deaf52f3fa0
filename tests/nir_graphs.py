"""NIR graphs of the tests, and their direct evaluation: forward Euler, written apart from the reader."""

from __future__ import annotations

from dataclasses import fields, replace

import nir
import numpy as np

import dlm_snn as dlm
from dlm_snn.exchange.nir.reader import read_nir
from dlm_snn.files.names import identifiers

DT = 1e-3


def filled(value, n):
    return np.full(n, float(value))


def lif(n, tau=0.01, r=1.0, leak=0.0, threshold=1.0):
    shape = (n,) if isinstance(n, int) else n
    return nir.LIF(
        tau=filled(tau, shape),
        r=filled(r, shape),
        v_leak=filled(leak, shape),
        v_threshold=filled(threshold, shape),
        v_reset=filled(leak, shape),
    )


def cuba(n, tau_syn=0.004, tau_mem=0.01, r=1.0, w_in=1.0, threshold=1.0, leak=0.0):
    return nir.CubaLIF(
        tau_syn=filled(tau_syn, n),
        tau_mem=filled(tau_mem, n),
        r=filled(r, n),
        v_leak=filled(leak, n),
        v_threshold=filled(threshold, n),
        v_reset=filled(leak, n),
        w_in=filled(w_in, n),
    )


def graph(nodes, edges):
    return nir.NIRGraph(nodes, edges, type_check=False)


def inp(*shape):
    return nir.Input({"input": np.array(shape)})


def out(*shape):
    return nir.Output({"output": np.array(shape)})


def euler(g, spikes, n_steps, order, back=(), dt=DT, reset="zero"):
    """Forward Euler over the nodes of a flat graph: ``order`` is one in which forward edges point onwards; edges of
    ``back`` give what was sent in the step before. Written apart from the reader: one dictionary of values a step.

    v starts at v_leak; where that lies above the threshold, and without v_leak (IF), at v_reset. ``reset`` "subtract":
    the threshold is taken off one step after the spike. Parameters of one value stand for all neurons.
    """
    nodes = {name: wide(node) for name, node in g.nodes.items()}
    state, sent, history, last = {}, {}, {}, {}
    rasters = {name: [] for name, k in nodes.items() if isinstance(k, (nir.LIF, nir.CubaLIF, nir.IF))}
    for t in range(n_steps):
        now = {}
        for name in order:
            k = nodes[name]
            x = sum(last.get(a, 0.0) if (a, b) in back else now[a] for a, b in g.edges if b == name)
            if isinstance(k, nir.Input):
                now[name] = spikes[name][t].astype(float)
            elif name not in rasters:
                now[name] = stateless(name, k, x, history, t, dt)
            else:
                if name not in state:
                    start = k.v_reset if isinstance(k, nir.IF) or np.any(k.v_leak > k.v_threshold) else k.v_leak
                    zeros = np.zeros(np.broadcast_shapes(np.shape(x), np.shape(k.v_threshold)))
                    state[name], sent[name] = [zeros, zeros + start], zeros
                u, v = moved(k, *state[name], x, dt)
                if reset == "subtract":
                    v = v - k.v_threshold * sent[name]
                s = sent[name] = v > k.v_threshold
                state[name] = [u, np.where(s & (reset == "zero"), k.v_reset, v)]
                now[name] = s.astype(float)
                rasters[name].append(s.ravel())
        last = now
    return {name: np.array(raster) for name, raster in rasters.items()}


def wide(node):
    """A node with its numbers in float64, as the reader computes."""
    changed = {
        f.name: np.asarray(getattr(node, f.name), dtype=float)
        for f in fields(node)
        if np.asarray(getattr(node, f.name)).dtype == np.float32
    }
    return replace(node, **changed) if changed else node


def moved(k, u, v, x, dt):
    """u and v one step later, before the spike."""
    if isinstance(k, nir.IF):
        return u, v + dt * k.r * x
    if isinstance(k, nir.LIF):
        return u, v + dt / k.tau * (k.v_leak - v + k.r * x)
    u = u + dt / k.tau_syn * (k.w_in * x - u)
    return u, v + dt / k.tau_mem * (k.v_leak - v + k.r * u)


def stateless(name, k, x, history, t, dt):
    """What a node without a state sends."""
    if isinstance(k, nir.Output):
        return x
    if isinstance(k, (nir.Affine, nir.Linear)):
        return k.weight @ np.broadcast_to(x, k.weight.shape[1:]) + getattr(k, "bias", 0.0)
    if isinstance(k, nir.Scale):
        return x * k.scale
    if isinstance(k, nir.Flatten):
        return np.ravel(x)
    if isinstance(k, (nir.Conv2d, nir.Conv1d)):
        return convolved(k, x)
    if isinstance(k, (nir.SumPool2d, nir.AvgPool2d)):
        return pooled(k, x)
    history.setdefault(name, []).append(np.broadcast_to(x, k.delay.shape))
    steps = np.rint(k.delay / dt).astype(int)
    value = np.zeros(k.delay.shape)
    for place in np.ndindex(k.delay.shape):
        at = t - steps[place]
        value[place] = history[name][at][place] if at >= 0 else 0.0
    return value


def convolved(k, x):
    import torch

    function = torch.nn.functional.conv1d if isinstance(k, nir.Conv1d) else torch.nn.functional.conv2d
    tensors = [torch.tensor(np.asarray(a, dtype=float)) for a in (x, k.weight, k.bias)]
    plain = [p if isinstance(p, str) else [int(n) for n in np.ravel(p)] for p in (k.stride, k.padding, k.dilation)]
    return function(tensors[0][None], *tensors[1:], *plain, int(k.groups))[0].numpy()


def pooled(k, x):
    import torch

    kernel, stride, padding = ([int(n) for n in np.broadcast_to(p, 2)] for p in (k.kernel_size, k.stride, k.padding))
    mean = torch.nn.functional.avg_pool2d(torch.tensor(np.asarray(x, dtype=float))[None], kernel, stride, padding)[
        0
    ].numpy()
    return mean * (kernel[0] * kernel[1] if isinstance(k, nir.SumPool2d) else 1)


def agrees(
    g,
    order,
    back=(),
    rate=0.4,
    n_steps=60,
    seed=1,
    shift=(),
    low=0.02,
    dt=DT,
    shapes=(),
    values=None,
    read=None,
    **options,
):
    """Our raster of every neuron node equals the direct one, ``shift`` steps later where Delays move a window.

    ``shapes``: of Inputs that are stored otherwise; ``values``: integers below it instead of spikes; ``read``: what is
    read instead of the graph, a file of it.
    """
    generator = np.random.default_rng(seed)
    stored = {n: tuple(np.ravel(k.input_type["input"])) for n, k in g.nodes.items() if isinstance(k, nir.Input)}
    drawn = {n: generator.random((n_steps, *dict(shapes).get(n, shape))) for n, shape in stored.items()}
    spikes = {n: x < rate if values is None else np.floor(x * values).astype(int) for n, x in drawn.items()}
    scale = options.get("scale", 1.0)
    direct = euler(
        g, {n: x / scale for n, x in spikes.items()}, n_steps, order, back, dt, options.get("reset") or "zero"
    )
    network = read_nir(g if read is None else read, dt, **options)
    given = {identifier(n): x.reshape(1, n_steps, -1) for n, x in spikes.items()}
    if values is None:
        given = {n: dlm.SpikeRaster.from_dense(x) for n, x in given.items()}
    ours = dlm.run(network, given, n_steps)
    for name, raster in direct.items():
        late = dict(shift).get(name, 0)
        assert low <= raster.mean() <= 0.8, (name, raster.mean())
        assert np.array_equal(ours.rasters[identifier(name)].dense()[0, : n_steps - late], raster[late:]), name
    return network


def identifier(name):
    """The population's name for a node's."""
    return identifiers([name], set())[name]


def weights(*shape, seed=0, scale=3.0):
    return np.random.default_rng(seed).normal(0.3, 1, shape) * scale
