"""What survives each format: round trips, as the tables of docs/exchange.md. ``python -m tests.exchange_table`` prints
them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nir
import numpy as np

import dlm_snn as dlm
from dlm_snn.errors import UnsupportedError
from dlm_snn.exchange.netx.reader import read_net
from dlm_snn.exchange.netx.writer import write_net
from dlm_snn.exchange.nir.reader import read_nir
from dlm_snn.exchange.nir.writer import NOTE, write_nir
from dlm_snn.exchange.rasters import arrays
from dlm_snn.exchange.rasters.csv_files import from_frame, read_csv, to_frame, write_csv
from dlm_snn.exchange.rasters.neo import from_neo, to_neo
from dlm_snn.exchange.rasters.nir_recording import from_nir_data, to_nir_data
from dlm_snn.exchange.rasters.nwb import read_nwb, write_nwb
from dlm_snn.exchange.snntorch.reader import read_stack
from dlm_snn.exchange.snntorch.writer import to_snntorch

IMAGE = (2, 6, 6)
EXACT, SPIKES, ROUNDED, REFUSED, NONE = "exact", "same spikes", "decays within 1 ulp", "refused", "-"


def dense(n_post: int = 4, n_pre: int = 4, seed: int = 0) -> dlm.Dense:
    return dlm.Dense(np.random.default_rng(seed).normal(0.25, 0.4, (n_post, n_pre)))


def floats(
    connection: Any = None, delay: Any = 1, source: dlm.Input | None = None, more: Any = (), **neuron: Any
) -> Any:
    """input -> a, and more projections and populations."""
    connection = connection or dense()
    shape = connection.post_shape if len(connection.post_shape) == 3 else (connection.n_post,)
    given = source or dlm.Input(connection.pre_shape if len(connection.pre_shape) == 3 else (connection.n_pre,))
    populations = {"x": given, "a": dlm.LIF(shape, **{"dv": 410 / 4096, "v_threshold": 0.93, **neuron})}
    projections = [dlm.Projection("x", "a", connection, delay)]
    for name, projection in more:
        if name is not None:
            populations[name] = dlm.LIF((4,), dv=0.2)
        projections.append(projection)
    return dlm.Network(populations, projections)


def integers(
    weight: Any = None, source: dlm.Input | None = None, delay: Any = 1, more: Any = (), **options: Any
) -> Any:
    neuron = {key: options.pop(key) for key in list(options) if key in dlm.IntegerLIF.__dataclass_fields__}
    connection = weight if isinstance(weight, (dlm.Conv2d, dlm.Pool2d, dlm.Sparse)) else None
    if connection is None:
        connection = dlm.Dense(
            np.array(np.random.default_rng(1).integers(-10, 20, (4, 4)) * 2 if weight is None else weight)
        )
    shape = connection.post_shape if len(connection.post_shape) == 3 else (connection.n_post,)
    given = source or dlm.Input(connection.pre_shape if len(connection.pre_shape) == 3 else (connection.n_pre,))
    populations = {"x": given, "a": dlm.IntegerLIF(shape, **{"dv": 400, "v_threshold": 30, **neuron})}
    projections = [dlm.IntegerProjection("x", "a", connection, delay, **options)]
    for name, projection in more:
        if name is not None:
            populations[name] = dlm.IntegerLIF((4,), dv=300, v_threshold=30)
        projections.append(projection)
    return dlm.IntegerNetwork(populations, projections)


def loop(pre: str, post: str, delay: Any = 1, whole: bool = False) -> Any:
    if whole:
        return dlm.IntegerProjection(pre, post, dlm.Dense(np.array([[2, -4, 0, 6]] * 4)), delay)
    return dlm.Projection(pre, post, dense(seed=2), delay)


def image(weights: Any) -> dlm.Conv2d:
    return dlm.Conv2d(np.asarray(weights), IMAGE, 2, 1)


KERNEL = np.arange(-20, 52).reshape(4, 2, 3, 3)
GRADED = dlm.Input((4,), graded_bits=4, scale=15)

FEATURES: dict[str, tuple[Any, Any]] = {
    "leaky neurons, zero reset": (floats(), integers()),
    "no leak (dv = 0)": (floats(dv=0.0), integers(dv=0)),
    "filtered current": (floats(du=0.5), integers(du=2000)),
    "parameters of each neuron": (floats(dv=np.array([0.1, 0.2, 0.3, 0.4])), integers(dv=np.array([1, 2, 3, 4]))),
    "bias": (floats(bias=np.array([0.1, 0.0, 0.2, 0.1])), integers(bias_mant=3, bias_exp=6)),
    "bias beside a filtered current": (floats(du=0.5, bias=0.1), integers(du=2000, bias_mant=3, bias_exp=6)),
    "reset by subtraction": (floats(reset="subtract"), None),
    "competition (k-WTA)": (floats(winners=2), integers(winners=2)),
    "refractory time": (floats(refractory=2), None),
    "periodic reset": (floats(period=8), integers(period=8)),
    "graded Input": (floats(source=GRADED), integers(source=GRADED)),
    "Dense": (floats(), integers()),
    "Sparse": (
        floats(dlm.Sparse.from_dense(np.diag([0.5, 0.6, 0.7, 0.8]))),
        integers(dlm.Sparse.from_dense(np.diag([50, 60, 70, 80]))),
    ),
    "Conv2d": (floats(image(KERNEL / 64)), integers(image(KERNEL))),
    "Pool2d, mean": (floats(dlm.Pool2d(IMAGE, 2)), None),
    "Pool2d, any weight": (floats(dlm.Pool2d(IMAGE, 2, weight=0.7)), integers(dlm.Pool2d(IMAGE, 2, weight=20))),
    "Chain": (floats(dlm.Chain((image(KERNEL / 64), dlm.Pool2d((4, 3, 3), 3)))), None),
    "recurrence": (floats(more=[(None, loop("a", "a"))]), integers(more=[(None, loop("a", "a", 1, True))])),
    "skip connection": (
        floats(more=[("b", loop("a", "b")), (None, loop("x", "b", 2))]),
        integers(more=[("b", loop("a", "b", 1, True)), (None, loop("x", "b", 2, True))]),
    ),
    "feedback over layers": (
        floats(more=[("b", loop("a", "b")), (None, loop("b", "a"))]),
        integers(more=[("b", loop("a", "b", 1, True)), (None, loop("b", "a", 1, True))]),
    ),
    "delay": (floats(more=[("b", loop("a", "b", 3))]), integers(more=[("b", loop("a", "b", 3, True))])),
    "delay of each neuron": (
        floats(more=[("b", loop("a", "b", np.array([1, 2, 3, 1])))]),
        integers(more=[("b", loop("a", "b", np.array([1, 2, 3, 1]), True))]),
    ),
    "delay of each synapse": (
        floats(more=[("b", loop("a", "b", 1 + np.arange(16).reshape(4, 4)))]),
        integers(more=[("b", loop("a", "b", 1 + np.arange(16).reshape(4, 4), True))]),
    ),
    "8-bit mixed, even weights": (None, integers()),
    "odd weights of one sign": (None, integers(np.arange(1, 33, 2).reshape(4, 4), sign_mode="excitatory")),
    "weight_exp that shifts sums": (None, integers(weight_exp=-3)),
}


def ours(network: Any, folder: Path) -> Any:
    dlm.save(network, folder / "a")
    return dlm.load(folder / "a")


def nir_notes(network: Any, folder: Path) -> Any:
    write_nir(network, folder / "a.nir")
    return read_nir(folder / "a.nir")


def nir_plain(network: Any, folder: Path) -> Any:
    graph = write_nir(network)
    del graph.metadata[NOTE]
    nir.write(folder / "a.nir", graph)
    return read_nir(folder / "a.nir", 1e-3, reset="zero")


def net(network: Any, folder: Path) -> Any:
    write_net(network, folder / "a.net")
    return read_net(folder / "a.net")


def snntorch(network: Any, folder: Path) -> Any:
    import snntorch as snn

    before = len(snn.SpikingNeuron.instances)
    modules = to_snntorch(network)
    del snn.SpikingNeuron.instances[before:]
    return read_stack(modules, pixels=network.inputs["x"], names=[n for n in network.populations if n != "one"])


NETWORKS: dict[str, tuple[Callable[[Any, Path], Any], int]] = {
    "our files, floats": (ours, 0),
    "our files, integers": (ours, 1),
    "NIR, ours": (nir_notes, 0),
    "NIR, standard nodes only": (nir_plain, 0),
    ".net": (net, 1),
    "snnTorch": (snntorch, 0),
}
"""Way there and back, and whether it takes the float or the integer network."""


def outcome(network: Any, way: Callable[[Any, Path], Any]) -> str:
    """What a network looks like after the way there and back."""
    if network is None:
        return NONE
    with tempfile.TemporaryDirectory() as folder:
        try:
            again = way(network, Path(folder))
        except UnsupportedError:
            return REFUSED
    if again.digest() == network.digest():
        return EXACT
    source = network.populations["x"]
    generator = np.random.default_rng(3)
    values = generator.integers(0, 16 if source.graded_bits else 2, (4, 40, source.n))
    given = {"x": values if source.graded_bits else dlm.SpikeRaster.from_dense(values)}
    other = dict(given)
    if source.graded_bits and again.populations["x"].graded_bits is None:
        again = type(again)({**again.populations, "x": source}, again.projections)
    if "one" in again.populations:
        other["one"] = np.ones((4, 1), dtype=np.uint8)
    pair = dlm.run(network, given, 40), dlm.run(again, other, 40)
    for name in network.neurons:
        if pair[0].rasters[name] != pair[1].rasters[name]:
            raise AssertionError(f"'{name}' has other spikes after {way.__name__}")
    return ROUNDED if way is nir_plain and not _same_decays(network, again) else SPIKES


def _same_decays(network: Any, again: Any) -> bool:
    for name, neuron in network.neurons.items():
        for key in ("du", "dv"):
            pair = [np.broadcast_to(getattr(n, key), (neuron.n,)) for n in (neuron, again.neurons[name])]
            if np.any(np.abs(pair[0] - pair[1]) > np.spacing(pair[0])):
                raise AssertionError(f"{key} of '{name}' is off by more than one rounding")
            if not np.array_equal(*pair):
                return False
    return True


def rasters() -> dict[str, dlm.SpikeRaster]:
    generator = np.random.default_rng(4)
    spikes = {name: generator.random((3, 50, n)) < 0.1 for name, n in (("a", 5), ("b", 8))}
    spikes["a"][:, :, 2] = False
    spikes["b"][1] = False
    return {name: dlm.SpikeRaster.from_dense(own, 0.0007) for name, own in spikes.items()}


def each(way: Callable[[dlm.SpikeRaster], dlm.SpikeRaster]) -> Callable[[Any, Path], Any]:
    return lambda given, folder: {name: way(raster) for name, raster in given.items()}


def by_file(ending: str) -> Callable[[Any, Path], Any]:
    def way(given: Mapping[str, dlm.SpikeRaster], folder: Path) -> Any:
        for name, raster in given.items():
            raster.save(folder / f"{name}{ending}")
        return {name: dlm.SpikeRaster.load(folder / f"{name}{ending}") for name in given}

    return way


def nwb(given: Any, folder: Path) -> Any:
    write_nwb(given, folder / "a.nwb")
    return read_nwb(folder / "a.nwb")[0]


def comma(given: Any, folder: Path) -> Any:
    write_csv(given, folder / "a.csv")
    return read_csv(folder / "a.csv")


def nir_data(given: Any, folder: Path) -> Any:
    nir.write_data(folder / "a.h5", to_nir_data(given))
    return from_nir_data(nir.read_data(folder / "a.h5"), next(iter(given.values())).dt)[0]


RASTERS: dict[str, Callable[[Any, Path], Any]] = {
    "`.npz`": by_file(".npz"),
    "`.raster`": by_file(".raster"),
    "NWB": nwb,
    "Neo": lambda given, folder: from_neo(to_neo(given))[0],
    "pandas": lambda given, folder: from_frame(to_frame(given)),
    "CSV": comma,
    "NIR data": nir_data,
    "snnTorch [T, B, N]": each(lambda r: arrays.from_time_first(arrays.to_time_first(r))),
    "SLAYER [N, C, T]": each(lambda r: arrays.from_time_last(arrays.to_time_last(r))),
    "scipy": each(lambda r: arrays.from_scipy(arrays.to_scipy(r), r.n_steps)),
    "Lava Monitor, one sample": lambda given, folder: {
        name: arrays.from_monitor({"p": {"s_out": r.dense()[0]}}) for name, r in given.items()
    },
}


def raster_outcome(way: Callable[[Any, Path], Any]) -> list[str]:
    """Spikes and their order; samples and silent neurons; dt."""
    given = rasters()
    with tempfile.TemporaryDirectory() as folder:
        again = way(given, Path(folder))
        kept = all(
            again[name][: len(set(raster.sample))].counts().shape[1] == raster.n_neurons
            for name, raster in given.items()
        )
        whole = all(again[name] == raster for name, raster in given.items())
        first = all(again[name][0] == raster[0] for name, raster in given.items())
        dt = all(again[name].dt == raster.dt for name, raster in given.items())
    spikes = EXACT if whole or first else "lost"
    return [
        spikes,
        "kept" if whole else "one sample",
        "kept" if kept else "lost",
        "kept" if dt else "to be given again",
    ]


def tables() -> str:
    """Both tables in Markdown."""
    head = ["network", *NETWORKS]
    rows = [
        [feature, *(outcome(pair[which], way) for way, which in NETWORKS.values())]
        for feature, pair in FEATURES.items()
    ]
    first = _markdown(head, rows)
    more = [[name, *raster_outcome(way)] for name, way in RASTERS.items()]
    return first + "\n" + _markdown(["rasters", "spikes", "samples", "silent neurons", "dt"], more)


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    print(tables(), end="")
