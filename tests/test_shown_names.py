"""The names that packages show: loaded when asked for, typed, light to import; the documents use no others."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from benchmarks.house import SHOWN, path_of

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HEAVY = ("torch", "snntorch", "lava", "brian2", "matplotlib", "sklearn", "scipy", "h5py", "pandas")


def for_type_checkers(package: str) -> dict[str, str]:
    """Name -> module below the package, as type checkers see it."""
    tree = ast.parse(path_of(package).read_text())
    under = [node for node in tree.body if isinstance(node, ast.If)]
    assert len(under) == 1
    return {
        alias.name: str(node.module).removeprefix(f"{package}.")
        for node in under[0].body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("package", SHOWN)
def test_every_name_is_there_and_said_alike(package):
    if package == "lava_processes":
        pytest.importorskip("lava_processes.runner")
    module = import_module(package)
    assert sorted(module.__all__) == sorted(module._HOME)
    assert for_type_checkers(package) == module._HOME
    assert set(module.__all__) <= set(dir(module))
    for name, home in module._HOME.items():
        assert getattr(module, name) is getattr(import_module(f"{package}.{home}"), name)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        module.nothing  # noqa: B018


@pytest.mark.parametrize("package", SHOWN)
def test_no_name_is_that_of_a_module(package):
    """Importing the module would put it in the place of the name."""
    module = import_module(package)
    assert set(module.__all__).isdisjoint(found.name for found in iter_modules(module.__path__))


@pytest.mark.parametrize("package", SHOWN)
def test_a_package_that_shows_names_holds_nothing_else(package):
    tree = ast.parse(path_of(package).read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For)]


@pytest.mark.parametrize("package", SHOWN)
def test_importing_it_is_light(package):
    script = f"import {package}, sys; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.split() == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documents_import_what_is_shown_and_nothing_else(page):
    seen = 0
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.S | re.M):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Import):
                named = [(alias.name, "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named = [(str(node.module), alias.name) for alias in node.names]
            else:
                continue
            for module, name in named:
                if module.partition(".")[0] in ("dlm_snn", "lava_processes", "experiments"):
                    seen += 1
                    assert module in SHOWN, module
                    assert not name or name in import_module(module).__all__ or f"{module}.{name}" in SHOWN, name
    assert seen or "import dlm_snn" not in page.read_text()
