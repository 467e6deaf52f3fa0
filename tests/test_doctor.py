"""The doctor: says what is missing, at which version and how to get it, and finds a foreign 'hardware'."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from dlm_snn import cli
from dlm_snn.processes import our_packages
from dlm_snn.verbs import doctor
from dlm_snn.verbs.doctor import Finding, examine, satisfies

LAVA = "pip install --no-deps --ignore-requires-python lava-nc==0.10.0"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Versions by name, put in place of what is installed; a name that is left out is as it is, "" is missing."""
    changed: dict[str, str] = {}
    real = metadata.version

    def version(name: str) -> str:
        if changed.get(name) == "":
            raise metadata.PackageNotFoundError(name)
        return changed.get(name) or real(name)

    monkeypatch.setattr(metadata, "version", version)
    return changed


def found(name: str) -> Finding:
    return next(one for one in examine() if one.name == name)


@pytest.mark.parametrize(
    ("version", "specifier", "verdict"),
    [
        ("2.13.0+cpu", "==2.13.0", True),
        ("2.13.1", "==2.13.0", False),
        ("1.26.4", ">=1.24,<2", True),
        ("2.0.0", ">=1.24,<2", False),
        ("1.9", ">=1.24", False),
        ("0.10.0", "==0.10", True),
        ("3.12.1", "<3.13,>=3.10", True),
        ("2.0.0rc1", "!=2", False),
        ("1.0", "", True),
    ],
)
def test_versions(version: str, specifier: str, verdict: bool) -> None:
    assert satisfies(version, specifier) is verdict


def test_an_unknown_clause_is_an_error() -> None:
    with pytest.raises(ValueError, match="~=1"):
        satisfies("1.0", "~=1")


def test_every_requirement_is_a_row() -> None:
    rows = [one.name for one in examine()]
    assert rows[:6] == ["Python", "lava-nc", "snntorch", "torch", "numpy", "brian2"]
    assert {"pydantic", "pyyaml", "scikit-learn", "scipy", "rich", "Chromium", "cache", "MNIST"} <= set(rows)
    assert "pytest" not in rows
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    ("name", "version", "verdict", "remedy"),
    [
        ("lava-nc", "", "missing", LAVA),
        ("lava-nc", "0.9.0", "wrong version", LAVA),
        ("torch", "", "missing", "pip install torch==2.13.0"),
        ("torch", "2.13.0+cpu", "OK", ""),
        ("brian2", "2.8", "wrong version", "pip install brian2==2.9.0"),
        ("numpy", "2.1.0", "wrong version", "pip install 'numpy>=1.24,<2'"),
    ],
)
def test_a_package(installed: dict[str, str], name: str, version: str, verdict: str, remedy: str) -> None:
    installed[name] = version
    row = found(name)
    assert (row.found, row.verdict, row.remedy) == (version or "-", verdict, remedy)


def test_exit_codes(installed: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    required = [one.name for one in examine() if one.fails]
    for name in required:
        installed[name] = doctor.LAVA.partition("==")[2] if name == "lava-nc" else found(name).wanted.lstrip(">=")
    assert cli.main(["doctor"]) == 0
    assert "everything that is required is there" in capsys.readouterr().out
    installed["snntorch"] = ""
    assert cli.main(["doctor"]) == 2
    shown = capsys.readouterr()
    assert shown.err == "dlm-snn: not in order: snntorch\n"
    assert "pip install snntorch==1.0.0" in shown.out


def test_not_installed_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "DISTRIBUTION", "no-such-distribution-anywhere")
    assert examine()[0].verdict == "missing"
    assert found("lava-nc").wanted == "==0.10.0"


@pytest.mark.parametrize("name", ["hardware", "experiments"])
def test_a_foreign_package_of_our_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert not [one for one in examine() if one.verdict == "foreign"]
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "meta_path", [one for one in sys.meta_path if one is not our_packages._Beside])
    monkeypatch.delitem(sys.modules, name, raising=False)
    row = found(name)
    assert row.found == f"{tmp_path / name} of no distribution"
    assert not row.fails
    information = tmp_path / f"{name}-0.33.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-of-theirs\nVersion: 0.33.0\n")
    (information / "top_level.txt").write_text(f"{name}\n")
    row = found(name)
    assert row.found.endswith(f"of the distribution {name}-of-theirs")
    assert row.remedy == f"pip uninstall {name}-of-theirs"


def test_data_and_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DLM_DATA", raising=False)
    assert (found("cache").verdict, found("$DLM_DATA").verdict) == ("OK", "not set")
    assert (found("MNIST").verdict, found("MNIST").remedy) == ("missing", "dlm-snn fetch mnist")
    monkeypatch.setenv("DLM_DATA", str(tmp_path / "data"))
    assert found("$DLM_DATA").verdict == "missing"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist.npz").write_bytes(b"")
    assert found("MNIST").found == str(tmp_path / "data" / "mnist.npz")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert found("cache").verdict == "not writable"


def test_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    row = found("Chromium")
    assert (row.verdict, row.fails) == ("missing", False)
