"""Placement on Loihi 2 against the compiler's public print-outs, its own rules, and what does not fit."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from hardware import all_chips, chip, place
from hardware.chips import LOIHI2, Chip, Note
from hardware.words import count_rows, kernel_words, list_words, weight_bits

DENSE: dict[str, tuple[str, tuple[int, ...], tuple[int, ...]]] = {
    "mnist": ("2023", (784, 128, 64, 10), (8, 8, 8)),
    "oxford": ("2022", (200, 256, 200), (8, 8)),
    "pilotnet": ("2022", (2560, 100, 50, 10, 1), (3, 4, 5, 6)),
}
"""Network -> packing, sizes, bits of the weights of each layer."""

IMAGES: list[tuple[tuple[int, int, int], tuple[int, int, int] | None, tuple[int, int], tuple[int, int], int]] = [
    ((3, 66, 200), None, (1, 1), (0, 0), 1),
    ((3, 66, 200), (24, 32, 99), (2, 2), (0, 0), 5),
    ((24, 32, 99), (36, 15, 49), (2, 2), (0, 0), 4),
    ((36, 15, 49), (48, 7, 24), (2, 2), (0, 0), 4),
    ((48, 7, 24), (64, 4, 22), (2, 1), (1, 0), 4),
    ((64, 4, 22), (64, 2, 20), (1, 1), (0, 0), 4),
]
"""PilotNet: what comes in, what a 3 x 3 kernel makes of it, stride and padding, bits of the weights."""

PRINTED: dict[str, tuple[int, int, int]] = {
    "mnist 1": (3, 50, 12544),
    "mnist 2": (1, 64, 2688),
    "mnist 3": (1, 10, 256),
    "oxford 1": (3, 85, 5400),
    "oxford 2": (2, 100, 8064),
    "pilotnet 1": (12, 8, 7253),
    "pilotnet 2": (1, 50, 1300),
    "pilotnet 3": (1, 10, 150),
    "pilotnet 4": (1, 1, 10),
    "image 1": (13, 3168, 0),
    "image 2": (25, 3072, 81),
    "image 3": (13, 2160, 864),
    "image 4": (3, 2688, 1620),
    "image 5": (3, 2048, 2160),
    "image 6": (2, 2048, 2880),
}
"""Layer -> cores, neurons and synapse words of a core: of the first core in the table of mnist, in the others the mean,
cut off."""
NOT_REPEATED = {"oxford 1": {"cores", "neurons", "words"}, "oxford 2": {"words"}}
"""What the rules do not give."""


def weights(shape: tuple[int, ...], bits: int) -> np.ndarray:
    """Even weights of both signs that need so many bits, the common factor 2 apart."""
    half = 2 ** (bits - 1) if bits < 8 else 100
    return 2 * np.random.default_rng(bits).integers(-half, half, shape).clip(-half + 1, half - 1)


def dense(sizes: tuple[int, ...], bits: tuple[int, ...]) -> dlm.IntegerNetwork:
    populations: dict[str, Any] = {"p0": dlm.Input((sizes[0],))}
    projections = []
    for i, ((n_pre, n_post), b) in enumerate(zip(pairwise(sizes), bits, strict=True), 1):
        populations[f"p{i}"] = dlm.IntegerLIF((n_post,), dv=10, v_threshold=100)
        projections.append(dlm.IntegerProjection(f"p{i - 1}", f"p{i}", dlm.Dense(weights((n_post, n_pre), b))))
    return dlm.IntegerNetwork(populations, projections)


def image(row: tuple[Any, ...]) -> dlm.IntegerNetwork:
    before, after, stride, padding, bits = row
    if after is None:
        n = int(np.prod(before))
        one = dlm.Sparse((n, n), np.arange(n), np.arange(n), np.ones(n, np.int64))
        given = {"p0": dlm.Input(before), "p1": dlm.IntegerLIF(before, dv=10, v_threshold=100)}
        return dlm.IntegerNetwork(given, [dlm.IntegerProjection("p0", "p1", one, sign_mode="excitatory")])
    kernel = weights((after[0], before[0], 3, 3), bits)
    connection = dlm.Conv2d(kernel, before, stride, padding)
    assert connection.output_shape == after
    given = {"p0": dlm.Input(before), "p1": dlm.IntegerLIF(after, dv=10, v_threshold=100)}
    return dlm.IntegerNetwork(given, [dlm.IntegerProjection("p0", "p1", connection)])


def found() -> dict[str, tuple[int, int, int]]:
    """As PRINTED, by place."""
    rows = {}
    for name, (packing, sizes, bits) in DENSE.items():
        for number, layer in enumerate(place(dense(sizes, bits), LOIHI2, packing).layers, 1):
            shown = [layer.neurons, layer.synapses]
            one = [values[0] if packing == "2023" else values.mean() for values in shown]
            rows[f"{name} {number}"] = (layer.cores, int(one[0]), int(one[1]))
    for number, row in enumerate(IMAGES, 1):
        (layer,) = place(image(row), LOIHI2, "2022").layers
        rows[f"image {number}"] = (layer.cores, int(layer.neurons[0]), int(layer.synapses[0]))
    return rows


def test_print_outs_of_the_compiler_are_repeated() -> None:
    rows = found()
    assert rows.keys() == PRINTED.keys()
    apart = {
        name: {what for what, a, b in zip(("cores", "neurons", "words"), row, PRINTED[name], strict=True) if a != b}
        for name, row in rows.items()
    }
    assert {name: which for name, which in apart.items() if which} == NOT_REPEATED
    assert sum("cores" not in which for which in apart.values()) == 14
    assert sum(not which & {"neurons", "words"} for which in apart.values()) == 13


@pytest.mark.parametrize(("layer", "total"), [(0, 67.14), (1, 14.72), (2, 1.71)])
def test_total_of_the_print_out_of_mnist(layer: int, total: float) -> None:
    placed = place(dense(*DENSE["mnist"][1:]), LOIHI2)
    assert float(placed.table()[layer]["total %"]) == pytest.approx(total, abs=0.02)


@pytest.mark.skipif("DLM_DATA" not in os.environ, reason="DLM_DATA names no folder with the published networks")
@pytest.mark.parametrize(("name", "packing", "cores"), [("mnist", "2023", 5), ("pilotnet_snn", "2022", 74)])
def test_published_networks_take_the_cores_that_were_printed(name: str, packing: str, cores: int) -> None:
    path = Path(os.environ["DLM_DATA"]) / "netx" / name / "network.net"
    if not path.exists():
        pytest.skip(f"no {path}")
    assert place(dlm.read_net(path), LOIHI2, packing).cores == cores


@pytest.mark.parametrize(
    ("weight", "bits"),
    [
        ([-4, 3], 3),
        ([-8, 6], 3),
        ([-64, 63], 8),
        ([-98, 130], 8),
        ([-6, 6], 3),
        ([1], 1),
        ([0], 1),
        ([255], 8),
        ([-256, 254], 8),
        ([16, 32], 2),
    ],
)
def test_bits_of_weights(weight: list[int], bits: int) -> None:
    assert weight_bits(np.array(weight)) == bits


def test_words_of_rows() -> None:
    assert [list_words(n, 8) for n in (1, 2, 3, 50, 51, 64)] == [1, 1, 2, 16, 17, 21]
    assert [kernel_words(c, b) for c, b in ((24, 5), (36, 4), (48, 4), (64, 4), (1, 1))] == [3, 4, 5, 5, 1]
    scratch = np.zeros(5, np.int32)
    assert count_rows(np.array([0, 0, 0, 4, 2], np.int32), scratch, 20) == (2 + 1 + 1, 3)
    assert not scratch.any()


def test_a_list_of_all_synapses_takes_the_words_of_a_dense_matrix() -> None:
    whole = dense((30, 50), (8,))
    matrix = np.where(whole.projections[0].connection.weight == 0, 2, whole.projections[0].connection.weight)
    forms = [
        dlm.IntegerNetwork(whole.populations, [dlm.IntegerProjection("p0", "p1", connection)])
        for connection in (dlm.Dense(matrix), dlm.Sparse.from_dense(matrix))
    ]
    a, b = (place(form, LOIHI2).layers[0] for form in forms)
    for one, other in ((a.neurons, b.neurons), (a.synapses, b.synapses), (a.axons, b.axons)):
        np.testing.assert_array_equal(one, other)
    assert a.unchecked == ()
    assert b.unchecked == ("a list of synapses",)


def test_cores_hold_every_neuron_once_and_within_their_limits() -> None:
    rng = np.random.default_rng(0)
    n = 3000
    post, pre = np.nonzero(rng.random((n, n)) < 0.02)
    loop = dlm.Sparse((n, n), post, pre, 2 * rng.integers(-60, 60, len(post)))
    network = dlm.IntegerNetwork(
        {"x": dlm.Input((100,)), "h": dlm.IntegerLIF((n,), dv=10, v_threshold=100)},
        [
            dlm.IntegerProjection("x", "h", dlm.Dense(weights((n, 100), 8))),
            dlm.IntegerProjection("h", "h", loop),
        ],
    )
    (layer,) = place(network, LOIHI2).layers
    assert layer.neurons.sum() == n
    assert layer.total is not None
    assert layer.synapses.max() <= 0.8 * 16_000
    assert layer.total.max() <= 20_000
    edges = np.concatenate([[0], np.cumsum(layer.neurons)])
    for core, (first, last) in enumerate(pairwise(edges)):
        counts = np.bincount(pre[(post >= first) & (post < last)])
        rows = sum(-(-(c * 20 + 10) // 64) for c in counts if c) + 100 * list_words(last - first, 8)
        assert layer.synapses[core] == rows
    assert layer.unchecked == ("a list of synapses",)


def test_each_core_has_its_own_line() -> None:
    placed = place(dense(*DENSE["mnist"][1:]), LOIHI2)
    lines = placed.table(each_core=True)
    assert [line["core"] for line in lines] == ["0", "1", "2", "3", "4"]
    assert [line["neurons a core"] for line in lines] == ["50", "50", "28", "64", "10"]
    assert lines[0]["total %"] == placed.table()[0]["total %"]
    assert float(lines[2]["total %"]) < float(lines[0]["total %"])
    assert {line["cores"] for line in lines} == {"1"}


def test_neurons_of_a_core_can_be_told() -> None:
    network = dense((784, 128), (8,))
    assert place(network, LOIHI2, neurons_per_core={"p1": 32}).layers[0].neurons.tolist() == [32] * 4
    crowded = place(network, LOIHI2, neurons_per_core={"p1": 128})
    assert (
        str(crowded.excesses[0])
        == "'p1' needs 32,144 synapse words on a core; there are 16,000 (128 neurons a core -> about 63)"
    )
    assert not crowded.fits
    assert crowded.chips is None


def test_what_does_not_fit_is_told_with_the_limit_and_by_how_much() -> None:
    wide = place(dense((11_352, 1_000), (8,)), LOIHI2)
    assert [excess.limit for excess in wide.excesses] == ["words on a core", "cores together with the others"]
    assert str(wide).startswith(
        "does not fit on one Intel Loihi 2: 'p1' needs 22,707 words on a core; there are 20,000 "
        "(11,352 presynaptic neurons of one neuron -> about 9,998)"
    )
    many = place(dense((6000, 900), (8,)), LOIHI2)
    assert many.chips == 2
    assert str(many).startswith("does not fit on one Intel Loihi 2 (cores of 2 chips): 'p1' needs 180 cores")


def test_the_verdict_stands_first_and_its_table_names_what_was_not_checked() -> None:
    pooled = dlm.IntegerNetwork(
        {"x": dlm.Input((2, 8, 8)), "pool": dlm.IntegerLIF((2, 4, 4), dv=4095, v_threshold=0)},
        [dlm.IntegerProjection("x", "pool", dlm.Pool2d((2, 8, 8), 2, weight=1), sign_mode="excitatory")],
    )
    lines = str(place(pooled, LOIHI2)).splitlines()
    assert lines[0] == "fits on one Intel Loihi 2: 1 of 128 cores"
    assert lines[1].split()[:2] == ["population", "cores"]
    assert lines[2].startswith("pool")
    assert "32 (4 x 4 x 2)" in lines[2]
    assert lines[3] == "not checked against a print-out: 'pool' (pooling)"


def test_every_figure_has_a_source_and_chips_come_by_name() -> None:
    assert chip("loihi2") is LOIHI2
    for one in all_chips().values():
        figures = [value for value in vars(one).values() if hasattr(value, "mark")]
        figures += [system.chips for system in one.systems] + [rule.synapse_words for rule in one.packings]
        assert figures
        assert all(figure.source for figure in figures), one.name
        assert all(figure.text if isinstance(figure, Note) else figure.value > 0 for figure in figures), one.name
    with pytest.raises(dlm.DlmError, match="no chip 'loihi'; did you mean"):
        chip("loihi")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"packing": "2024"}, "Intel Loihi 2 has no packing '2024'"),
        ({"neurons_per_core": {"p2": 3}}, "neurons_per_core names 'p2'"),
        ({"neurons_per_core": {"p1": 0}}, r"neurons_per_core\['p1'\] = 0 is not a positive integer"),
        ({"chip": Chip("other", "Another")}, "placement on Another cannot do an unknown compiler"),
        ({"network": dlm.Network({"p1": dlm.LIF((3,), dv=0.5)})}, "give an IntegerNetwork"),
    ],
)
def test_what_cannot_be_placed_is_a_line(change: dict[str, Any], line: str) -> None:
    given: dict[str, Any] = {"network": dense((5, 4), (8,)), "chip": LOIHI2}
    with pytest.raises(dlm.DlmError, match=line):
        place(**given | change)
