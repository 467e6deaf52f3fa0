"""Delays and convolutions on a machine with a clock: one answer for Lava, for what keeps a network off, for bundles."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.cli import main
from dlm_snn.networks.clocked import as_convolution, clocked_delay
from hardware.loihi2.bundle import write_bundle
from hardware.loihi2.form import as_data
from hardware.loihi2.prepared import prepared
from hardware.subset import obstacles
from hardware.windows import windows
from lava_processes.support import check_supported

STEPS = 8
EYE = dlm.Dense(2 * np.eye(4, dtype=int))


def deep_noise(connection: Any, **given: Any) -> dlm.IntegerNetwork:
    """An aligned Input that reaches a population of depth 2."""
    return dlm.IntegerNetwork(
        {
            "x": dlm.Input((4,)),
            "noise": dlm.Input((1, 1, 4), aligned=True),
            "a": dlm.IntegerLIF((4,), dv=0, v_threshold=0),
            "b": dlm.IntegerLIF((1, 1, 4), dv=0, v_threshold=30),
        },
        [
            dlm.IntegerProjection("x", "a", EYE),
            dlm.IntegerProjection("a", "b", EYE),
            dlm.IntegerProjection("noise", "b", connection, **given),
        ],
    )


@pytest.mark.parametrize(
    "connection", [dlm.Conv2d(np.array([[[[40]]]]), (1, 1, 4)), dlm.Pool2d((1, 1, 4), (1, 1), weight=np.array(40))]
)
def test_an_aligned_image_waits_for_the_window_of_whom_it_reaches(connection: Any, tmp_path: Path) -> None:
    pytest.importorskip("lava")
    net = deep_noise(connection)
    told, arrays = as_data(windows(net, STEPS))
    for number, (projection, record) in enumerate(zip(net.projections, told["projections"], strict=True)):
        assert record["delay"] == clocked_delay(net, projection)
        assert (record["kind"] == "conv") == (as_convolution(net, projection) is not None)
        assert f"{number}.weight" in arrays
    assert [record["delay"] for record in told["projections"]] == [1, 1, 2]
    rng = np.random.default_rng(0)
    fed = {name: (rng.random((4, STEPS, 4)) < 0.3).astype(int) for name in ("x", "noise")}
    write_bundle(prepared(net, fed, STEPS), tmp_path / "bundle")
    words = [sys.executable, str(tmp_path / "bundle/run.py")]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:5]) == (0, "0 of "), done.stderr


def image(kernel: int, bits: int | None = None, signed: bool = False, **given: Any) -> dlm.IntegerNetwork:
    connection = dlm.Conv2d(np.full((1, 1, 2, 2), kernel), (1, 3, 3))
    return dlm.IntegerNetwork(
        {
            "x": dlm.Input((1, 3, 3), graded_bits=bits, signed=signed),
            "h": dlm.IntegerLIF((1, 2, 2), dv=1, v_threshold=9),
        },
        [dlm.IntegerProjection("x", "h", connection, **given)],
    )


NETWORKS = {
    "as it is": (image(5), True),
    "delay": (image(5, delay=2), False),
    "delay, even": (image(6, delay=2), True),
    "delay, 12 bits": (image(5, 12, delay=2), False),
    "weight_exp": (image(6, weight_exp=1), True),
    "12 bits": (image(127, 12), True),
    "24 bits": (image(5, 24), False),
    "24 bits, even": (image(6, 24), True),
    "sums of 2^23 - 508": (image(127, 14), True),
    "sums beyond": (image(127, 15), False),
    "signed, half as large": (image(127, 15, True), True),
    "signed, beyond": (image(127, 16, True), False),
    "waits": (deep_noise(dlm.Conv2d(np.array([[[[5]]]]), (1, 1, 4))), False),
    "pooled, even": (deep_noise(dlm.Pool2d((1, 1, 4), (1, 1), weight=np.array(6))), True),
    "synapses": (deep_noise(EYE), True),
}


@pytest.mark.parametrize(("net", "taken"), NETWORKS.values(), ids=NETWORKS)
def test_what_keeps_a_network_off_a_chip_is_what_lava_refuses(net: dlm.IntegerNetwork, taken: bool) -> None:
    """Sparse drops the lowest bit of an odd weight, without a word."""
    fed = {name: np.zeros((1, STEPS, part.n), int) for name, part in net.inputs.items()}
    assert (obstacles(net) == ()) == taken
    if taken:
        check_supported(net, "fixed", sequential=True)
        prepared(net, {name: one + (name == "x") for name, one in fed.items()}, STEPS)
        return
    with pytest.raises(dlm.UnsupportedError, match="odd weights of a convolution"):
        check_supported(net, "fixed", sequential=False)
    with pytest.raises(dlm.DlmError, match=r"has a weight of \d+; a chip has weights -256..254 in steps of 2 \(mixed"):
        prepared(net, fed, STEPS)


def test_the_commands_refuse_odd_weights_of_a_late_convolution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    dlm.save(image(5, 12, delay=2), "late")
    np.savez("x.npz", x=np.ones((1, 9), int))
    line = "'x->h' has a weight of 5; a chip has weights -256..254 in steps of 2 (mixed, 8 bits): 5 -> 4"
    assert main(["check", "late", "--samples", "0"]) == 1
    assert f"to change: {line}" in capsys.readouterr().out.splitlines()
    assert main(["deploy", "late", "--dry-run", "--stimulus", "x.npz"]) == 2
    assert capsys.readouterr().err == f"dlm-snn: not for a Loihi 2: {line}\n"


@pytest.mark.parametrize("delays", [(20, 20, 20), (21, 21, 21)])
def test_an_input_of_ours_that_would_wait_too_long(delays: tuple[int, ...]) -> None:
    """The silence between two windows waits for the population that it holds down."""
    names = ["x", "a", "b", "c"]
    chain = zip(names, names[1:], delays, strict=False)
    synapses = [dlm.IntegerProjection(pre, post, dlm.Dense([[40]]), delay) for pre, post, delay in chain]
    net = dlm.IntegerNetwork(
        {"x": dlm.Input((1,)), **{name: dlm.IntegerLIF((1,), dv=0, v_threshold=30) for name in "abc"}},
        [*synapses, dlm.IntegerProjection("c", "c", dlm.Dense([[40]]))],
    )
    assert obstacles(net) == ()
    fed = {"x": np.ones((1, STEPS, 1), int)}
    depth = sum(delays)
    if depth <= 62:
        assert list(prepared(net, fed, STEPS).windows.events) == ["silence_c"]
        return
    line = f"'silence_c->c' has a delay of {depth} steps .until the window of 'c' begins.; a chip has at most 62: bring"
    with pytest.raises(dlm.DlmError, match=line):
        prepared(net, fed, STEPS)
