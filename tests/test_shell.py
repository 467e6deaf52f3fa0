"""What a shell and a notebook show: a line for each population, never weights, never an exception."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

import dlm_snn as dlm
from tests.nets import FLOAT, INTEGER, make

PARTS = ("populations", "projections")


def network(**changes) -> dlm.Network:
    populations = {
        "pixels": dlm.Input((4,), graded_bits=8, scale=255),
        "hidden": dlm.LIF((3,), dv=[0.1, 0.2, 0.3], winners=1, **changes),
    }
    weight = np.full((3, 4), 0.123456)
    return dlm.Network(
        populations,
        [
            dlm.Projection("pixels", "hidden", dlm.Dense(weight)),
            dlm.Projection("hidden", "hidden", dlm.Dense(weight[:, :3]), delay=2),
        ],
    )


def test_a_network_has_a_line_for_each_population():
    lines = repr(network()).splitlines()
    assert lines == [
        "Network of 2 populations, 2 projections:",
        "  pixels  Input(shape=(4,), graded_bits=8, scale=255.0)",
        "  hidden  LIF(shape=(3,), dv=(3,) float64 0.1..0.3, winners=1) <- pixels (Dense 3 x 4), "
        "hidden (Dense 3 x 3, delay 2)",
    ]


def test_many_projections_are_counted():
    one = dlm.Dense(np.ones((1, 1)))
    populations = {f"in{i}": dlm.Input((1,)) for i in range(9)} | {"out": dlm.LIF((1,), dv=0.5)}
    text = repr(dlm.Network(populations, [dlm.Projection(f"in{i}", "out", one) for i in range(9)]))
    assert text.endswith("in3 (Dense 1 x 1), 5 more")


@pytest.mark.parametrize("case", [*FLOAT, *INTEGER])
def test_no_case_shows_its_weights_or_takes_more_lines_than_populations(case):
    found, stimulus, n_steps = make(case)
    assert len(repr(found).splitlines()) == 1 + len(found.populations)
    assert "array(" not in repr(found)
    for p in found.projections:
        assert "array(" not in repr(p)
        assert "\n" not in repr(p)
    recording = dlm.run(found, stimulus, n_steps, record=("s", "v"))
    assert len(repr(recording).splitlines()) == 1 + len(found.neurons)
    assert "array(" not in repr(recording) + repr(recording.state)
    assert all("array(" not in repr(raster) and "\n" not in repr(raster) for raster in recording.rasters.values())


@pytest.mark.parametrize("kind", [dlm.Network, dlm.IntegerNetwork, dlm.SpikeRaster, dlm.Recording, dlm.LIF, dlm.Dense])
def test_what_is_not_made_yet_is_shown_all_the_same(kind):
    assert kind.__name__ in repr(object.__new__(kind))


def test_a_field_that_cannot_be_shown_is_named():
    class Broken:
        def __eq__(self, other: object) -> bool:
            raise ValueError

        __hash__ = None  # type: ignore[assignment]

    neuron = object.__new__(dlm.LIF)
    object.__setattr__(neuron, "bias", Broken())
    assert repr(neuron) == "LIF(bias=<ValueError>)"


def test_a_notebook_gets_a_table_with_its_text_escaped():
    rows: list[str] = []

    class Seen(HTMLParser):
        def handle_data(self, data: str) -> None:
            rows.append(data)

    Seen().feed(network()._repr_html_())
    assert rows[0] == "Network of 2 populations, 2 projections"
    assert "pixels (Dense 3 x 4), hidden (Dense 3 x 3, delay 2)" in rows
    assert "<-" not in network()._repr_html_()


def test_a_recording_tells_spikes_traces_and_wraps():
    lines = repr(dlm.run(*make("int_wrap"), record=("s", "u"))).splitlines()
    assert lines[0].startswith("Recording of ")
    assert any("wraps" in line and ", u" in line for line in lines[1:])


def test_accuracy_takes_a_raster_or_answers():
    raster = dlm.SpikeRaster.from_dense(np.array([[[1, 0]], [[0, 1]], [[0, 0]]]))
    labels = np.array([0, 0, 1])
    assert (
        dlm.accuracy(raster, labels) == dlm.accuracy(dlm.read_out(raster), labels) == dlm.accuracy([0, 1, -1], labels)
    )
    assert dlm.accuracy([0, 1, -1], labels) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("answers", "labels", "message"),
    [
        ([0, 1], [0], r"labels of shape \(1,\) for 2 samples"),
        ([[0, 1]], [[0, 1]], r"answers of shape \(1, 2\); give one class per sample"),
        ([], [], "there are 0 samples"),
        ([0.5], [0], "answers"),
    ],
)
def test_answers_that_do_not_fit_are_refused(answers, labels, message):
    with pytest.raises(dlm.DlmError, match=message):
        dlm.accuracy(answers, np.array(labels))
