"""The page of a continual experiment: a headline that the seeds bear out, shades of its data, intervals, a phone."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from dlm_snn.continual.row import RowFigures
from dlm_snn.continual.standings import standings
from dlm_snn.report.continual import FINE, course, course_figure, extent, matrix_figure, render
from dlm_snn.report.headline import between, headline, resolved
from dlm_snn.report.svg import THEME
from tests.browser import CHROMIUM, chromium
from tests.continual_rows import made_row
from tests.test_report import OVERLAPS, SIDEWAYS

pytestmark = pytest.mark.xdist_group("report")

NAN = float("nan")


def rows(variant, finals, joint=False, seeds=None):
    """A row per seed of three tasks, whose ACC is the given one; ``joint``: a ceiling."""
    made = []
    for seed, acc in zip(seeds or range(len(finals)), finals, strict=True):
        matrix = [[acc + 0.04, NAN, NAN], [acc + 0.02, acc + 0.01, NAN], [acc, acc, acc]]
        figures = RowFigures.of([[NAN] * 3, [NAN] * 3, [acc] * 3] if joint else matrix, 0.0, {"training": 1.0})
        row = made_row(variant=variant, seed=seed, figures=figures, options={"name": variant})
        made.append(replace(row, declaration=replace(row.declaration, joint=joint)))
    return made


def said(*parts):
    return headline("table", standings([row for part in parts for row in part]))


def test_a_difference_whose_interval_spans_0_is_not_resolved():
    """Differences -2, 1, 4 points: 1 +- 7.45."""
    text = said(rows("a", [0.80, 0.83, 0.86]), rows("b", [0.82, 0.82, 0.82]))
    assert text.startswith(
        "table: not resolved whether a or b is best, +1.00 ± 7.45 points over 3 common seeds. a ends"
    )
    assert "F 0.0" in text
    assert "LA " in text


def test_a_difference_beyond_its_interval_names_the_best():
    """Differences 2, 3, 4 points: 3 +- 2.48; noise that both share says nothing."""
    text = said(rows("b", [0.50, 0.70, 0.90]), rows("a", [0.52, 0.73, 0.94]))
    assert text.startswith(
        "table: a is best, +3.00 ± 2.48 points over 3 common seeds ahead of b. It ends at ACC 73.00 ±"
    )
    first, second = standings(rows("a", [0.52, 0.73, 0.94]) + rows("b", [0.50, 0.70, 0.90]))
    apart = between(first, second)
    assert apart.half == pytest.approx(t.ppf(0.975, 2) * 1.0 / np.sqrt(3))
    assert resolved(apart)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            rows("b", [0.4]),
            "+40.00 points in 1 common seed, which gives no interval",
        ),
        (rows("b", [0.4], seeds=[9]), "without a seed in common"),
        (rows("b", [0.8, 0.7]), "+0.00 points in 1 common seed"),
    ],
)
def test_one_seed_resolves_nothing(other, words):
    assert f"not resolved whether a or b is best, {words}" in said(rows("a", [0.8]), other)


def test_a_learner_alone_is_told_without_a_claim():
    assert said(rows("a", [0.8, 0.9])).startswith("table: a ends at ACC 85.00 ± ")
    assert "best" not in said(rows("a", [0.8]))


def test_a_ceiling_is_no_competitor():
    text = said(rows("all", [0.99, 0.99], joint=True), rows("a", [0.8, 0.81]), rows("b", [0.7, 0.71]))
    assert text.startswith("table: a is best of those that learn task by task, +10.00 ± 0.00 points")
    assert said(rows("all", [0.99], joint=True)).startswith("table: all ends at ACC 99.00")


def test_shades_run_over_the_range_of_the_data():
    low, high = standings(rows("a", [0.811]))[0].matrix(), standings(rows("b", [0.902]))[0].matrix()
    assert extent([low, high]) == (81, 95)
    figure = matrix_figure(low, (81, 95))
    axes, bar = figure.axes
    shades = {patch.get_xy(): patch.get_alpha() for patch in axes.patches}
    assert len(shades) == 6
    assert max(shades, key=shades.get) == (-0.5, -0.5)
    assert shades[-0.5, 1.5] < shades[-0.5, 0.5] < shades[-0.5, -0.5]
    assert bar.get_xlim() == (81, 95)
    assert bar.get_xlabel() == "accuracy, %"
    assert {text.get_text() for text in axes.texts} == {"85", "83", "82", "81"}
    assert {text.get_text() for text in matrix_figure(low, (81, 81 + FINE)).axes[0].texts} >= {"85.1", "81.1"}


def test_constant_accuracies_have_a_range_too():
    assert extent([np.ones((1, 1))]) == (99, 100)
    assert extent([np.zeros((1, 1))]) == (0, 1)
    assert extent([np.full((1, 1), 0.5)]) == (49, 51)


def test_the_course_has_the_interval_over_seeds():
    (line,) = standings(rows("a", [0.80, 0.84, 0.85]))
    mean, half = course(line)
    seeds = np.array([[84, 81.5, 80], [88, 85.5, 84], [89, 86.5, 85]])
    np.testing.assert_allclose(mean, seeds.mean(axis=0))
    np.testing.assert_allclose(half, t.ppf(0.975, 2) * seeds.std(axis=0, ddof=1) / np.sqrt(3))
    axes = course_figure([line]).axes[0]
    (band,) = axes.collections
    points = band.get_paths()[0].vertices
    for task in range(3):
        at = points[points[:, 0] == task, 1]
        np.testing.assert_allclose([at.min(), at.max()], [mean[task] - half[task], mean[task] + half[task]])
    (drawn,) = axes.lines
    np.testing.assert_allclose(drawn.get_ydata(), mean)
    assert not course_figure(standings(rows("a", [0.8]))).axes[0].collections


def test_a_ceiling_has_its_last_point_alone():
    mean, half = course(standings(rows("all", [0.9, 0.8], joint=True))[0])
    assert np.isnan(mean[:2]).all()
    assert mean[2] == pytest.approx(85)
    assert half[2] > 0


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    made = rows("columns", [0.91, 0.92, 0.94]) + rows("kept of 20 samples", [0.90, 0.93, 0.92])
    made += rows("all at once", [0.97, 0.97, 0.98], joint=True)
    path = tmp_path_factory.mktemp("continual") / "report.html"
    path.write_text(render("table", made, standings(made), "dlm-snn experiment table"), encoding="utf-8")
    return path


def test_the_page_states_range_intervals_and_headline(page):
    text = page.read_text(encoding="utf-8")
    assert "<h1>table: not resolved whether columns or kept of 20 samples is best of those" in text
    assert "The shades of all matrices run from 91 to 98 %, the range of these data." in text
    assert "the bands are its 95 % intervals over seeds" in text
    assert not [color for color in THEME.values() if re.search(f"(fill|stroke): {color}", text)]
    assert text.count('data-label="F"') == text.count('data-label="LA %"') == 3


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True), (360, False)])
def test_f_and_la_are_seen_without_scrolling_sideways(page, tmp_path, width, dark):
    if CHROMIUM is None:
        pytest.skip("needs chromium or google-chrome in the path")
    with chromium(tmp_path) as tab:
        tab.look(width, dark)
        assert tab.complaints(page) == []
        assert tab.evaluate("document.scrollingElement.scrollWidth") <= width
        assert all(box[:3] == [0, "region", True] and "local" in box[3] for box in tab.evaluate(SIDEWAYS))
        beyond = "[...document.querySelectorAll('.table:has(.cards)')].map(box => box.scrollWidth - box.clientWidth)"
        if width < 600:
            assert max(tab.evaluate(beyond)) <= 1
        cells = "[...document.querySelectorAll('#standings td')].map(c => c.getBoundingClientRect().right)"
        assert max(tab.evaluate(cells)) <= width
        assert tab.evaluate(OVERLAPS) == []
