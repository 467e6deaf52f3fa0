"""The page of ``raster view`` in headless Chromium: its size, the first picture, zooms, and counts against NumPy's.

Run: python -m benchmarks.viewer [--events 1000000 10000000] [--zooms 12] [--pictures FOLDER]. One population of 1,000
neurons, a sample, each neuron spiking at random in 1 % of the steps. The page is read from a file. The first picture is
timed in the page, from the beginning of the navigation to the second frame after the spikes are drawn; a zoom from the
event to the second frame after it, the median of all. "Computing" is the time that the page's own thread took of a
core, whatever else the machine did. Needs chromium in the path.
"""

from __future__ import annotations

import argparse
import base64
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from dlm_snn import SpikeRaster
from dlm_snn.analysis import view
from tests.browser import CHROMIUM, Tab, chromium

NEURONS, RATE = 1000, 0.01
LIMITS = {10**6: (3.0, 1.5), 10**7: (15.0, 4.0)}
"""Spikes -> megabytes, seconds to the first picture."""
ZOOM = 0.25
"""Seconds of a zoom."""
TRIES = 5
"""Selections that are counted."""
FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"
LOOKS = [(width, dark) for width in (1280, 400) for dark in (False, True)]


def busy(events: int) -> SpikeRaster:
    """So many spikes, each neuron's at random."""
    generator = np.random.default_rng(1)
    steps = round(events / (NEURONS * RATE))
    place = np.unique(generator.integers(0, steps * NEURONS, round(events * 1.01)))
    place = np.sort(generator.choice(place, events, replace=False))
    step, neuron = np.divmod(place, NEURONS)
    return SpikeRaster(np.zeros(events, np.uint32), step, neuron, 1, steps, NEURONS)


def first_picture(tab: Tab, page: Path) -> tuple[float, list[str]]:
    """Seconds to it, and what the browser complains of."""
    waiting = (
        "const asking = setInterval(() => { if (!globalThis.viewer) return; clearInterval(asking);"
        f"{FRAMES}.then(now => globalThis.seen = now) }}, 5)"
    )
    script = tab.call("Page.addScriptToEvaluateOnNewDocument", source=waiting)["identifier"]
    complaints = tab.complaints(page)
    while not tab.evaluate("globalThis.seen"):
        time.sleep(0.05)
    tab.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    return float(str(tab.evaluate("globalThis.seen"))) / 1e3, complaints


def zooms(tab: Tab, count: int) -> list[float]:
    """Seconds of each turn of the wheel, in and out again."""
    turn = (
        "(async way => { const began = performance.now();"
        "const canvas = document.getElementById('spikes'), {left, top, width, height} = canvas.getBoundingClientRect();"
        "const place = {clientX: left + width / 3, clientY: top + height / 2};"
        "canvas.dispatchEvent(new WheelEvent('wheel', {deltaY: way, cancelable: true, ...place}));"
        f"return await {FRAMES} - began }})"
    )
    return [float(str(tab.evaluate(f"{turn}({-120 if i < count / 2 else 120})"))) / 1e3 for i in range(count)]


def computed(tab: Tab) -> float:
    """Seconds of a core that the page's own thread has taken since the navigation."""
    metrics = tab.call("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def counts(tab: Tab, raster: SpikeRaster) -> int:
    """How many of some random selections hold as many spikes as NumPy counts."""
    generator = np.random.default_rng(2)
    equal = 0
    for _ in range(TRIES):
        start, end = np.sort(generator.integers(0, raster.n_steps, 2))
        first, last = np.sort(generator.choice(NEURONS + 1, 2, replace=False))
        part = f"{{from: {start}, to: {end}, parts: [{{population: 0, first: {first}, last: {last}}}]}}"
        told = tab.evaluate(f"viewer.state.selection = {part}, viewer.measured().layers[0]")
        inside = (raster.step >= start) & (raster.step < end) & (raster.neuron >= first) & (raster.neuron < last)
        equal += told == int(inside.sum())
    tab.evaluate("viewer.state.selection = null")
    return equal


def picture(tab: Tab, path: Path) -> None:
    path.write_bytes(base64.b64decode(tab.call("Page.captureScreenshot", format="png")["data"]))


@dataclass(frozen=True)
class Figures:
    """Of one look at a page: seconds, and what went wrong; ``computing`` is what the page's thread took of a core."""

    first: float
    first_computing: float
    turns: list[float]
    turn_computing: float
    equal: int
    complaints: list[str]
    overflows: bool

    def within(self, slowest: float) -> bool:
        clean = self.equal == TRIES and not self.complaints and not self.overflows
        return clean and self.first <= slowest and median(self.turns) <= ZOOM

    def __str__(self) -> str:
        first = f"first picture {self.first:.2f} s (computing {self.first_computing:.2f})"
        slowest = max(self.turns) * 1e3
        zoom = (
            f"zoom {median(self.turns) * 1e3:.0f} ms (computing {self.turn_computing * 1e3:.0f}, slowest {slowest:.0f})"
        )
        counted = f"{self.equal} of {TRIES} selections as NumPy counts"
        asked = f"{len(self.complaints)} errors or requests{', wider than the window' if self.overflows else ''}"
        return f"{first}, {zoom}, {counted}, {asked}"


def looked_at(tab: Tab, page: Path, raster: SpikeRaster, n_zooms: int) -> Figures:
    first, complaints = first_picture(tab, page)
    shown = computed(tab)
    turns = zooms(tab, n_zooms)
    turned = computed(tab)
    overflows = bool(tab.evaluate("document.scrollingElement.scrollWidth > innerWidth"))
    equal = counts(tab, raster)
    return Figures(first, shown, turns, (turned - shown) / n_zooms, equal, complaints, overflows)


def measured(tab: Tab, events: int, folder: Path, n_zooms: int, pictures: Path | None) -> bool:
    raster = busy(events)
    page = folder / f"{events}.html"
    began = time.perf_counter()
    view(raster, page)
    written = time.perf_counter() - began
    largest, slowest = LIMITS.get(events, (float("inf"), float("inf")))
    size = page.stat().st_size / 1e6
    print(
        f"{events:,} spikes: written in {written:.1f} s, {size:.2f} MB; at most {largest:g} MB, {slowest:g} s, 250 ms"
    )
    fine = size <= largest
    for width, dark in LOOKS:
        tab.look(width, dark)
        figures = looked_at(tab, page, raster, n_zooms)
        print(f"  {width} pixels, {'dark' if dark else 'light'}: {figures}")
        fine &= figures.within(slowest)
        if pictures is not None:
            tab.evaluate(FRAMES)
            picture(tab, pictures / f"{events}-{width}-{'dark' if dark else 'light'}.png")
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=list(LIMITS))
    parser.add_argument("--zooms", type=int, default=12)
    parser.add_argument("--pictures", type=Path, help="folder for screenshots")
    arguments = parser.parse_args()
    if CHROMIUM is None:
        print("needs chromium or google-chrome in the path", file=sys.stderr)
        return 2
    fine = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with chromium(folder / "browser") as tab:
            tab.call("Performance.enable", timeDomain="threadTicks")
            for events in arguments.events:
                fine &= measured(tab, events, folder, arguments.zooms, arguments.pictures)
    print(f"load of the machine over the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"largest memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB")
    print("all bars are met" if fine else "a bar is missed")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
