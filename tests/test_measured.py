"""Joules that the machine counts: wraps, what is left out, and what is said where nothing can be read."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hardware.measured import Measured, Meter

RANGE = 262_143_328_850


def zone(folder: Path, number: str, name: str, energy: int | str) -> Path:
    found = folder / f"intel-rapl:{number}"
    found.mkdir(parents=True)
    for file, held in (("name", name), ("max_energy_range_uj", RANGE), ("energy_uj", energy)):
        (found / file).write_text(f"{held}\n")
    return found / "energy_uj"


@pytest.fixture(autouse=True)
def no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)


def test_packages_are_summed_wraps_are_added_and_parts_are_left_out(tmp_path: Path) -> None:
    first = zone(tmp_path, "0", "package-0", 1_000_000)
    second = zone(tmp_path, "1", "package-1", RANGE - 500_000)
    others = [zone(tmp_path, "0:0", "core", 0), zone(tmp_path, "2", "psys", 0)]
    with Meter(tmp_path) as meter:
        first.write_text("3500000\n")
        second.write_text("250000\n")
        for other in others:
            other.write_text("99000000\n")
    found = meter.result
    assert found.method == "powercap"
    assert found.parts == {"powercap package-0": pytest.approx(2.5), "powercap package-1": pytest.approx(0.75)}
    assert found.joules == pytest.approx(3.25)
    assert str(found).startswith("measured by powercap: 3.25 J in ")
    assert found.to_json()["joules"] == found.joules


def test_a_look_in_between_sees_every_wrap(tmp_path: Path) -> None:
    file = zone(tmp_path, "0", "package-0", 0)
    with Meter(tmp_path) as meter:
        for _ in range(3):
            file.write_text(f"{RANGE - 1_000_000}\n")
            meter.look()
            file.write_text("1000000\n")
            meter.look()
    # From 0 on: up to the wrap, and 2 J over it, three times; from 1 J on the second and third time.
    assert meter.result.joules == pytest.approx(3 * RANGE * 1e-6 + 1.0)


def test_what_cannot_be_read_is_unavailable_with_the_reason(tmp_path: Path) -> None:
    with Meter(tmp_path / "nowhere") as meter:
        pass
    found = meter.result
    assert (found.method, found.joules, found.parts) == ("unavailable", None, {})
    assert len(found.reasons) == 2
    assert "no counters of energy in" in str(found)
    assert "the package pynvml is not installed" in str(found)
    zone(tmp_path, "0", "package-0", "locked")
    with Meter(tmp_path) as meter:
        pass
    assert meter.result.joules is None
    assert "powercap package-0 cannot be read" in meter.result.reasons[1]


def test_a_counter_that_fails_later_is_not_counted(tmp_path: Path) -> None:
    file = zone(tmp_path, "0", "package-0", 0)
    with Meter(tmp_path) as meter:
        file.unlink()
    assert meter.result.method == "unavailable"
    assert "could not be read again" in meter.result.reasons[-1]


def nvml(energies: list[int], fails: bool = False) -> SimpleNamespace:
    def begin() -> None:
        if fails:
            raise RuntimeError("Driver Not Loaded")

    return SimpleNamespace(
        nvmlInit=begin,
        nvmlShutdown=lambda: energies.append(-1),
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda i: i,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: energies[handle],
    )


def test_graphics_processors_stand_beside_the_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    energies = [5_000, 7_000]
    monkeypatch.setitem(sys.modules, "pynvml", nvml(energies))
    file = zone(tmp_path, "0", "package-0", 0)
    with Meter(tmp_path) as meter:
        energies[:] = [6_500, 7_250]
        file.write_text("2000000\n")
    found = meter.result
    assert found.method == "powercap+nvml"
    assert found.parts == {
        "powercap package-0": pytest.approx(2.0),
        "nvml 0": pytest.approx(1.5),
        "nvml 1": pytest.approx(0.25),
    }
    assert energies[-1] == -1  # it was shut down
    monkeypatch.setitem(sys.modules, "pynvml", nvml([], fails=True))
    with Meter(tmp_path / "nowhere") as meter:
        pass
    assert meter.result.reasons[-1] == "NVML does not answer: Driver Not Loaded"


def test_this_machine_answers_one_way_or_the_other() -> None:
    with Meter() as meter:
        sum(range(1000))
    found: Measured = meter.result
    assert (found.joules is None) == (found.method == "unavailable")
    assert found.seconds > 0
