"""The page of ``raster view`` in a browser: it decodes, counts, selects and saves what is there, without a request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.analysis import Labels, Membrane, view
from dlm_snn.analysis.viewer.layers import Layer, by_neuron, layers
from dlm_snn.exchange import read_csv
from tests.browser import CHROMIUM, Tab, chromium
from tests.viewer_pages import BUSY, LOST, changed

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("viewer")]

rng = np.random.default_rng(8)
WIDE = dlm.SpikeRaster.from_dense(rng.random((2, 60, 300)) < 0.03)
FIRST = {"busy": BUSY, 'wide, "quoted"': WIDE}
SECOND = {"busy": LOST, 'wide, "quoted"': changed(WIDE, 7, 0.001)}
V = {"busy": Membrane(rng.normal(0.5, 0.3, (1, 60, 7)))}
LABEL = "document.getElementById('voltage').getAttribute('aria-label')"
OVER_TIME = "Membrane voltages of chosen neurons over the time shown"
STILL = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if CHROMIUM is None:
        pytest.skip("needs chromium or google-chrome in the path")
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        opened.look(1280)
        yield opened


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return view(FIRST, tmp_path_factory.mktemp("one") / "a.html", membranes=V, labels=Labels(("run", ""), 3, 100))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("two") / "a.html"
    return view(FIRST, path, SECOND, membranes=V, membranes_against=V, labels=Labels(("float", "integer")))


def show(tab: Tab, page: Path) -> list[str]:
    """Open a page and wait until its spikes are drawn; what the browser complains of."""
    found = tab.complaints(page)
    tab.evaluate("new Promise(done => { const ask = () => globalThis.viewer ? done(1) : setTimeout(ask, 10); ask() })")
    return found


def press(tab: Tab, key: str, shift: bool = False) -> None:
    told = f"{{key: {key!r}, shiftKey: {str(shift).lower()}, bubbles: true, cancelable: true}}"
    tab.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {told}))")
    tab.evaluate(STILL)


def click(tab: Tab, name: str) -> None:
    tab.evaluate(f"document.getElementById('{name}').click()")
    tab.evaluate(STILL)


def select(tab: Tab, **fields: object) -> str:
    """Through the text fields, as without a mouse; the sentence that comes."""
    for name in ("from", "to", "neurons"):
        tab.evaluate(f"document.getElementById('{name}').value = {str(fields.get(name, ''))!r}")
    tab.evaluate(f"document.getElementById('of').value = {str(fields.get('of', 'all'))!r}")
    tab.evaluate("document.getElementById('choose').requestSubmit()")
    tab.evaluate(STILL)
    return str(tab.evaluate("document.getElementById('selected').textContent"))


def drag(tab: Tab, start: tuple[float, float], end: tuple[float, float], modifiers: int = 0) -> None:
    """With the mouse, between two places of the plot, in parts of its width and height."""
    box = tab.evaluate(
        "(() => { const {left, top} = document.getElementById('spikes').getBoundingClientRect();"
        "const {x, y, w, h} = viewer.state.frame.plot; return [left + x, top + y, w, h] })()"
    )
    places = [(box[0] + x * box[2], box[1] + y * box[3]) for x, y in (start, end)]
    steps = [("mousePressed", places[0]), ("mouseMoved", places[1]), ("mouseReleased", places[1])]
    for kind, (x, y) in steps:
        button = {"button": "left", "buttons": 1, "clickCount": 1, "modifiers": modifiers}
        tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)
    tab.evaluate(STILL)


def places(layer: Layer) -> list[tuple[int, int]]:
    """(position, neuron) of each spike."""
    neuron = np.repeat(np.arange(layer.counts.size), layer.counts)
    return list(zip(layer.position.tolist(), neuron.tolist(), strict=True))


def test_the_page_opens_without_error_or_request_and_holds_the_spikes(tab: Tab, one: Path) -> None:
    assert show(tab, one) == []
    for i, raster in enumerate(FIRST.values()):
        held = tab.evaluate(f"Array.from(viewer.state.populations[{i}].layers[0].at)")
        assert held == by_neuron(raster).position.tolist()
    assert tab.evaluate("viewer.shown") == [len(BUSY) + len(WIDE)]


def test_random_intervals_and_long_axes_are_decoded(tab: Tab, tmp_path: Path) -> None:
    """Low bits, and positions that 32 bits do not hold."""
    step = np.unique(np.random.default_rng(0).integers(0, 2**32 - 1, 4000))
    raster = dlm.SpikeRaster(np.full(step.size, 2), step, np.arange(step.size) % 3, 3, 2**32 - 1, 3)
    layer = by_neuron(raster)
    assert layer.position.max() > 2**32
    assert show(tab, view(raster, tmp_path / "a.html")) == []
    assert tab.evaluate("Array.from(viewer.state.populations[0].layers[0].at)") == layer.position.tolist()


def test_what_is_selected_is_counted_and_saved(tab: Tab, one: Path, tmp_path: Path) -> None:
    show(tab, one)
    text = select(tab, **{"from": 10, "to": 90, "of": 1, "neurons": "20-119"})
    flat = WIDE.dense().reshape(-1, 300)
    count = int(flat[10:90, 20:120].sum())
    assert tab.evaluate("viewer.measured().layers") == [count]
    assert text.startswith(f'Selected: {count} spikes of 100 neurons (wide, "quoted" 20 to 119), 10 to 90 ms; ')
    assert text.endswith(f" {count / 100 / 0.08:.3g} Hz.")
    path = tmp_path / "selected.csv"
    path.write_text(str(tab.evaluate("viewer.csv()")))
    assert path.read_text().splitlines()[0] == "population,sample,step,neuron,time_ms"
    extents = {name: {"n_samples": 9, "n_steps": 200, "n_neurons": 300, "dt": 1e-3} for name in FIRST}
    saved = read_csv(path, extents)['wide, "quoted"']
    kept = np.zeros_like(flat)
    kept[10:90, 20:120] = flat[10:90, 20:120]
    wanted = dlm.SpikeRaster.from_dense(kept.reshape(2, 60, 300))
    # The labels count samples from 3 and steps from 100.
    assert saved == dlm.SpikeRaster(wanted.sample + 3, wanted.step + 100, wanted.neuron, 9, 200, 300)


def test_a_drag_selects_what_it_covers_and_hidden_populations_do_not_count(tab: Tab, one: Path) -> None:
    show(tab, one)
    press(tab, "s")
    drag(tab, (0.252, 0.005), (0.498, 0.998))
    chosen = tab.evaluate("[viewer.state.selection.from, viewer.state.selection.to]")
    assert chosen == [30, 60]
    counts = [int(raster.dense().reshape(120, -1)[30:60].sum()) for raster in FIRST.values()]
    assert tab.evaluate("viewer.measured().layers") == [sum(counts)]
    tab.evaluate("document.querySelector('#populations input').click()")
    tab.evaluate(STILL)
    assert tab.evaluate("viewer.measured().layers") == [counts[1]]
    press(tab, "Escape")
    assert tab.evaluate("document.getElementById('selected').textContent") == "Nothing selected."


def test_moving_zooming_and_samples(tab: Tab, one: Path) -> None:
    show(tab, one)
    views = "[viewer.state.view.x0, viewer.state.view.x1]"
    press(tab, "+")
    assert tab.evaluate(views) == [20, 100]
    drag(tab, (0.5, 0.5), (0.75, 0.5))
    assert tab.evaluate(views) == pytest.approx([0, 80], abs=0.2)
    press(tab, "0")
    press(tab, "]")
    assert tab.evaluate(views) == [0, 60]
    press(tab, "]")
    assert tab.evaluate("document.getElementById('sample').value") == "4"
    assert tab.evaluate(views) == [60, 120]
    assert tab.evaluate("viewer.shown") == [int(BUSY[1:].dense().sum() + WIDE[1:].dense().sum())]
    press(tab, "ArrowUp", shift=True)
    assert tab.evaluate("viewer.state.view.y1 - viewer.state.view.y0 < viewer.state.height")
    select(tab, **{"from": 110, "to": 120})
    assert tab.evaluate("[viewer.state.selection.from, viewer.state.selection.to]") == [70, 80]


def test_two_fingers_zoom_into_both(tab: Tab, one: Path) -> None:
    show(tab, one)
    left, top = tab.evaluate("(b => [b.left, b.top])(document.getElementById('spikes').getBoundingClientRect())")
    for kind, apart in (("touchStart", 50), ("touchMove", 75), ("touchMove", 100), ("touchEnd", None)):
        ways = () if apart is None else (-1, 1)
        points = [{"x": left + 400 + way * apart, "y": top + 200, "id": way + 1} for way in ways]
        tab.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    tab.evaluate(STILL)
    x0, x1, y0, y1, height = tab.evaluate(
        "(({view, height}) => [view.x0, view.x1, view.y0, view.y1, height])(viewer.state)"
    )
    assert (x1 - x0, y1 - y0) == (pytest.approx(60, rel=0.02), pytest.approx(height / 2, rel=0.02))


def test_the_selection_is_downloaded_without_a_request(tab: Tab, one: Path, tmp_path: Path) -> None:
    show(tab, one)
    select(tab, of=0)
    wanted = tab.evaluate("viewer.csv()")
    tab.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tab.events.clear()
    click(tab, "save")
    path = tmp_path / "selected-spikes.csv"
    for _ in range(100):
        if path.exists():
            break
        tab.evaluate("new Promise(done => setTimeout(done, 50))")
    assert path.read_text() == wanted
    asked = [
        event["params"]["request"]["url"] for event in tab.events if event.get("method") == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("blob:")] == []


def test_a_click_shows_the_voltage_of_a_neuron(tab: Tab, one: Path) -> None:
    show(tab, one)
    drag(tab, (0.5, 0.99), (0.5, 0.99))
    assert tab.evaluate("viewer.state.voltage") == {"population": "busy", "neurons": [0]}
    assert tab.evaluate("document.getElementById('voltage-neurons').value") == "0"
    assert "first sample" in str(tab.evaluate("document.getElementById('voltage-note').textContent"))
    values = tab.evaluate("Array.from(viewer.state.membranes[0][0].values.slice(0, 60))")
    chosen = int(tab.evaluate("viewer.state.membranes[0][0].neurons[0]"))
    assert np.allclose(values, V["busy"].v[0, :, chosen], atol=1e-4)
    assert tab.evaluate(LABEL) == f"{OVER_TIME}: v / threshold at the end of the step"


def test_the_page_says_which_voltage_it_shows(tab: Tab, tmp_path: Path) -> None:
    before = {"busy": Membrane(V["busy"].v, before=V["busy"].v + 1)}
    assert show(tab, view(FIRST, tmp_path / "a.html", membranes=before)) == []
    assert tab.evaluate(LABEL) == f"{OVER_TIME}: v / threshold before the reset"
    unscaled = {"busy": Membrane(V["busy"].v, threshold=False)}
    show(tab, view(FIRST, tmp_path / "b.html", membranes=unscaled))
    assert tab.evaluate(LABEL) == f"{OVER_TIME}: v at the end of the step"


def test_wrong_fields_are_marked_and_change_nothing(tab: Tab, one: Path) -> None:
    show(tab, one)
    for name, value in (("from", "x"), ("neurons", "900"), ("to", "-5")):
        assert select(tab, of=1, **{name: value}) == "Nothing selected."
        assert tab.evaluate(f"document.getElementById('{name}').getAttribute('aria-invalid')") == "true"


def test_two_runs_are_counted_and_gone_through(tab: Tab, two: Path) -> None:
    assert show(tab, two) == []
    held = [layers(FIRST[name], SECOND[name]) for name in FIRST]
    sizes = [sum(of[layer].position.size for of in held) for layer in range(3)]
    assert tab.evaluate("viewer.shown") == sizes
    legend = tab.evaluate("[...document.querySelectorAll('#runs .chip')].map(chip => chip.textContent)")
    assert legend == [f"in both: {sizes[0]:,}", f"only in float: {sizes[1]}", f"only in integer: {sizes[2]}"]
    lone = sorted(
        (position, population, neuron, layer)
        for population, of in enumerate(held)
        for layer in (1, 2)
        for position, neuron in places(of[layer])
    )
    found = []
    for _ in range(3):
        press(tab, "n")
        found.append(
            tuple(tab.evaluate("(d => [d.position, d.population, d.neuron, d.layer])(viewer.state.difference)"))
        )
    assert found == lone[:3]
    told = tab.evaluate("document.getElementById('difference').textContent")
    assert str(told).startswith(f"3 of {len(lone)}: ")
    press(tab, "p")
    assert tab.evaluate("viewer.state.difference.position") == lone[1][0]
    select(tab)
    assert tab.evaluate("viewer.measured().layers") == sizes
    assert str(tab.evaluate("viewer.csv()")).count(",only integer\n") == sizes[2]


KEYS = ("+", "-", "0", "s", "[", "]", "n", "p", "Escape", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown")


@pytest.mark.parametrize("neurons", [0, 1])
def test_next_to_nothing_is_shown_and_takes_every_key(tab: Tab, tmp_path: Path, neurons: int) -> None:
    one = [np.full(neurons, value, np.uint32) for value in (0, 4, 0)]
    page = view(dlm.SpikeRaster(*one, 1, 10 * neurons, neurons), tmp_path / "a.html")
    assert show(tab, page) == []
    for key in KEYS:
        press(tab, key)
    select(tab)
    assert tab.evaluate("viewer.measured().layers") == [neurons]
    assert [event for event in tab.events if event.get("method") == "Runtime.exceptionThrown"] == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_the_page_fits_its_window_light_and_dark(tab: Tab, two: Path, width: int, dark: bool) -> None:
    tab.look(width, dark)
    show(tab, two)
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= width
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 24, 27)" if dark else "rgb(251, 251, 249)")
    inked = "const c = document.getElementById(id), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
    for canvas in ("rate", "spikes", "voltage"):
        assert tab.evaluate(f"(id => {{ {inked} return d.some(v => v) }})('{canvas}')")
    tab.look(1280)
