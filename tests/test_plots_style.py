"""Figures as files, the Axes that plots draw into, and the settings that they leave alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import dlm_snn as dlm
from dlm_snn.analysis import plots
from dlm_snn.analysis.plots import style
from dlm_snn.analysis.plots.saving import check_place

BEGINNINGS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF-"}


def drawn():
    axes = style.axes_of(None)
    axes.plot([0, 1, 2], label="a $sign")
    axes.set(xlabel="time in ms", ylabel="rate in Hz")
    axes.legend()
    return axes


@pytest.mark.parametrize("ending", BEGINNINGS)
def test_a_figure_is_written_as_its_ending_says_and_the_same_again(tmp_path, ending):
    first, again = tmp_path / f"first{ending}", tmp_path / f"again{ending.upper()}"
    plots.save(drawn(), first)
    plots.save(drawn().figure, str(again))
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes().startswith(BEGINNINGS[ending])


def test_text_in_an_svg_is_text(tmp_path):
    plots.save(drawn(), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert ">time in ms</text>" in text
    assert ">a $sign</text>" in text


@pytest.mark.parametrize("ending", [".png", pytest.param(".pdf", marks=pytest.mark.long)])
def test_only_a_figure_of_ours_gives_way(tmp_path, ending):
    ours, other = tmp_path / f"ours{ending}", tmp_path / f"other{ending}"
    plots.save(drawn(), ours)
    with pytest.raises(dlm.DlmError, match="exists"):
        plots.save(drawn(), ours)
    figure = style.axes_of(None).figure
    plots.save(figure, ours, replace=True)
    Figure().savefig(other)
    before = other.read_bytes()
    with pytest.raises(dlm.DlmError, match="it is not a figure that this program wrote"):
        plots.save(drawn(), other, replace=True)
    assert other.read_bytes() == before
    other.write_bytes(b"notes on dlm-snn raster plot")
    with pytest.raises(dlm.DlmError, match="it is not a figure"):
        check_place(other, replace=True)


def test_what_cannot_be_written_is_refused_in_one_line_and_leaves_nothing(tmp_path):
    for name in ("a.jpg", "a", "a.png.gz"):
        for refuse in (lambda path: plots.save(drawn(), path), check_place):
            with pytest.raises(dlm.DlmError, match=r"ends in \.png, \.svg, \.pdf") as caught:
                refuse(tmp_path / name)
            assert "\n" not in str(caught.value)
    with pytest.raises(dlm.DlmError, match="a list is no figure"):
        plots.save([drawn()], tmp_path / "a.png")
    with pytest.raises(dlm.DlmError, match="choose a folder"):
        plots.save(drawn(), tmp_path / "none" / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_cannot_be_drawn_leaves_no_file(tmp_path):
    axes = style.axes_of(None)
    axes.set_title(r"$\frac{$", parse_math=True)
    with pytest.raises(ValueError, match="frac"):
        plots.save(axes, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_a_figure_is_saved_as_the_whole(tmp_path):
    figure = Figure()
    left, right = figure.subfigures(1, 2)
    axes = left.subplots()
    right.subplots().set_title("the other half")
    plots.save(axes, tmp_path / "a.svg")
    assert "the other half" in (tmp_path / "a.svg").read_text()


def test_given_axes_are_drawn_into_with_the_settings_of_their_owner():
    given = Figure().subplots()
    with matplotlib.rc_context({"font.size": 30}), style.drawing(given) as axes:
        assert axes is given
        assert matplotlib.rcParams["font.size"] == 30
    before = dict(matplotlib.rcParams)
    with style.drawing(None, 5.0, 2.0) as axes:
        assert matplotlib.rcParams["font.size"] == 8.5
        assert axes.figure.get_size_inches().tolist() == [5.0, 2.0]
    assert dict(matplotlib.rcParams) == before
    with pytest.raises(dlm.DlmError, match="ax is a Figure; give a matplotlib Axes"), style.drawing(Figure()):
        pass


def test_rows_have_the_heights_that_were_asked_for():
    rows = style.rows_of([1.0, 2.0, 0.5], 6.0)
    assert rows[0].figure.get_size_inches().tolist() == [6.0, 3.5]
    grid = rows[0].get_subplotspec().get_gridspec()
    assert list(grid.get_height_ratios()) == [1.0, 2.0, 0.5]


def test_ticks_keep_the_style_outside_of_it():
    with matplotlib.rc_context({"xtick.labelsize": 30, "xtick.color": "red", "font.family": "monospace"}):
        axes = style.axes_of(None)
        axes.set_xticks(range(40))
        labels = axes.get_xticklabels()
    assert {label.get_fontsize() for label in labels} == {8.0}
    assert {label.get_fontfamily()[0] for label in labels} == {style.FONT}
    assert {label.get_color() for label in labels} == {style.INK}


def _seen(color: str, matrix: np.ndarray) -> np.ndarray:
    linear = np.array(matplotlib.colors.to_rgb(color))
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    return np.clip(matrix @ linear, 0, 1)


def test_colors_differ_for_readers_without_red_or_green_cones():
    """Machado, Oliveira and Fernandes (2009), severity 1: linear RGB as a protanope and a deuteranope see it."""
    protanope = np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    )
    deuteranope = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    )

    def least(colors, matrix):
        seen = [np.sqrt(_seen(color, matrix)) for color in colors]
        return min(np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i])

    for matrix in (np.eye(3), protanope, deuteranope):
        assert least(style.COLORS, matrix) > 0.18
        if matrix[0, 0] < 1:
            assert least(list(matplotlib.colors.TABLEAU_COLORS.values())[:8], matrix) < 0.11
    assert [style.color_of(place) for place in range(14)] == 2 * list(style.COLORS)


def test_pyplot_is_neither_imported_nor_touched(tmp_path):
    code = (
        "import sys; from dlm_snn.analysis import plots; assert 'matplotlib' not in sys.modules;"
        "from dlm_snn.analysis.plots.style import axes_of; plots.save(axes_of(None), 'a.png');"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    root = Path(__file__).resolve().parents[1]
    environment = {"PYTHONPATH": str(root), "PATH": "/usr/bin"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
