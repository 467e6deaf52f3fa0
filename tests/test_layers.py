"""Which part may know which: the layer table, held over the syntax tree of every module.

Each rule is a function (module name, syntax tree) -> what breaks it, tried on a module that breaks it too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = [name for name in ("dlm_snn", "lava_processes", "hardware", "experiments") if (ROOT / name).is_dir()]
HEAVY = {"torch", "snntorch", "lava", "brian2", "matplotlib", "sklearn", "scipy"}
NUMPY_ONLY = (
    "dlm_snn.networks.network",
    "dlm_snn.networks.timing",
    "dlm_snn.networks.extent",
    "dlm_snn.networks.known",
    "dlm_snn.runs.raster",
    "dlm_snn.runs.stimulus",
    "dlm_snn.runs.recording",
    "dlm_snn.runs.comparison",
    "dlm_snn.runs.differences",
    "dlm_snn.runs.sink",
    "dlm_snn.description",
    "dlm_snn.values",
    "dlm_snn.neurons*",
    "dlm_snn.connections*",
    "dlm_snn.backends.reference",
    "dlm_snn.learning.on_chip.rule",
    "dlm_snn.learning.on_chip.limits",
    "dlm_snn.learning.on_chip.rounding",
    "dlm_snn.learning.on_chip.traces",
    "dlm_snn.learning.on_chip.state",
    "dlm_snn.learning.on_chip._plain",
)


@cache
def modules() -> dict[str, ast.Module]:
    """Dotted name -> syntax tree of every module of ours."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def is_package(module: str) -> bool:
    return (ROOT / Path(*module.split("."))).is_dir()


def for_types_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def statements(tree: ast.AST, inside_functions: bool) -> Iterator[ast.stmt]:
    """All statements but those under ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if for_types_only(node):
            continue
        if isinstance(node, ast.stmt):
            yield node
        if inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from statements(node, inside_functions)


def imports(module: str, tree: ast.Module, inside_functions: bool = True) -> set[str]:
    """Dotted names that a module imports: what stands after ``import``, or ``from x import y`` as x and x.y."""
    found = set()
    for node in statements(tree, inside_functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")[: len(module.split(".")) - node.level + is_package(module)]
                base = ".".join([*parts, *([base] if base else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def ours(module: str, tree: ast.Module, known: Mapping[str, ast.Module], inside_functions: bool) -> set[str]:
    """The modules of ours that a module imports, the packages around them included."""
    found = set()
    for name in imports(module, tree, inside_functions):
        parts = name.split(".")
        found |= {".".join(parts[: i + 1]) for i in range(len(parts))} & set(known)
    return found - {module}


def reached(module: str, known: Mapping[str, ast.Module]) -> set[str]:
    """All top-level packages that a module imports, directly or through modules of ours."""
    seen, waiting, packages = set(), [module], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            packages |= {found.partition(".")[0] for found in imports(name, known[name])}
            waiting += ours(name, known[name], known, inside_functions=True)
    return packages


def imports_of(packages: set[str], module: str, tree: ast.Module) -> set[str]:
    return {name for name in imports(module, tree) if name.partition(".")[0] in packages}


def knows_what_stands_above(module: str, tree: ast.Module) -> set[str]:
    """dlm_snn knows neither Lava's processes, nor chips, nor experiments; nobody knows experiments or tests."""
    package = module.partition(".")[0]
    above = {"experiments", "tests", "benchmarks"} - {package}
    if package == "dlm_snn":
        above |= {"lava_processes", "hardware", "lava"}
    return imports_of(above, module, tree)


def brian2_knows_our_steps(module: str, tree: ast.Module) -> set[str]:
    """The Brian2 backend writes its own equations."""
    if not fnmatch(module, "dlm_snn.backends.*brian2*"):
        return set()
    return {name for name in imports(module, tree) if name.startswith("dlm_snn.neurons")}


def lava_knows_torch(module: str, tree: ast.Module) -> set[str]:
    return imports_of({"torch", "snntorch"}, module, tree) if module.startswith("lava_processes") else set()


FACTORIES = {
    *(
        "arange",
        "as_tensor",
        "asarray",
        "empty",
        "eye",
        "full",
        "linspace",
        "normal",
        "ones",
        "rand",
        "randint",
        "randn",
    ),
    *("randperm", "scalar_tensor", "sparse_coo_tensor", "tensor", "zeros", "Linear", "Conv2d"),
}
"""What torch makes on its default device, where none is named."""


def tensors_without_a_device(module: str, tree: ast.Module) -> set[str]:
    """torch.set_default_device is the user's; what we make says where."""
    return {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in FACTORIES
        and ast.unparse(node.func.value) in ("torch", "nn", "torch.nn")
        and not any(keyword.arg == "device" for keyword in node.keywords)
    }


def is_process(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(ast.unparse(b).endswith("Process") for b in node.bases)


def folder(module: str) -> str:
    return module if is_package(module) else module.rpartition(".")[0]


@cache
def process_folders() -> set[str]:
    return {folder(name) for name, tree in modules().items() if any(map(is_process, ast.walk(tree)))}


def process_folder_imports(module: str, tree: ast.Module) -> set[str]:
    """Lava executes each file in the folder of a Process, over and over and by path.

    So these import lava, numpy, typing, and our modules that need no more than these (and numba, where it is
    installed); absolutely.
    """
    if folder(module) not in process_folders() and not any(map(is_process, ast.walk(tree))):
        return set()
    found = {"." * node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level}
    light = {"lava", "numpy", "numba", "dlm_snn", "lava_processes"}
    for name in imports(module, tree):
        package = name.partition(".")[0]
        if package in PACKAGES:
            if name in modules() and reached(name, modules()) - sys.stdlib_module_names - light:
                found.add(name)
        elif package not in {"lava", "numpy", "typing"}:
            found.add(name)
    return found


def uses_assert(module: str, tree: ast.Module) -> set[str]:
    return {f"line {node.lineno}" for node in ast.walk(tree) if isinstance(node, ast.Assert)}


def without_docstring(module: str, tree: ast.AST) -> set[str]:
    """The module, and its public functions, classes and their public methods."""
    found = set() if not isinstance(tree, ast.Module) or ast.get_docstring(tree) or not tree.body else {module}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                found.add(node.name)
            if isinstance(node, ast.ClassDef):
                found |= without_docstring(module, node)
    return found


def cycles(known: Mapping[str, ast.Module]) -> set[str]:
    """Modules that import themselves through others, functions' own imports left out."""
    edges = {name: ours(name, tree, known, inside_functions=False) for name, tree in known.items()}
    found = set()
    for start, after in edges.items():
        seen: set[str] = set()
        waiting = list(after)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += edges[name]
        found |= {start} & seen
    return found


RULES = {
    knows_what_stands_above: [
        ("dlm_snn.runs.raster", "def f():\n    from lava_processes import build"),
        ("dlm_snn.verbs.run", "import experiments.runner"),
        ("dlm_snn.networks.network", "from lava.proc.lif.process import LIF"),
        ("lava_processes.graph", "from tests.nets import make"),
        ("lava_processes.graph", "import experiments"),
    ],
    brian2_knows_our_steps: [
        ("dlm_snn.backends.brian2", "from dlm_snn.neurons.lif import step"),
        ("dlm_snn.backends._brian2_blocks", "def f():\n    from dlm_snn.neurons import competition"),
        ("dlm_snn.backends.brian2", "from ..neurons import lif"),
    ],
    lava_knows_torch: [("lava_processes.graph", "def f():\n    import torch.nn")],
    process_folder_imports: [
        ("lava_processes.kwta.process", f"{line}\nclass P(AbstractProcess): ...")
        for line in (
            "from . import models",
            "from .models import Model",
            "import torch",
            "import json",
            "from lava_processes import graph",
            "from dlm_snn.backends import torch",
            "from __future__ import annotations",
        )
    ]
    + [("lava_processes.kwta", "from lava_processes.kwta import process\nimport torch")],
    tensors_without_a_device: [
        ("dlm_snn.training.training", "import torch\ndef f():\n    return torch.zeros(3, dtype=int)"),
        ("dlm_snn.training.training", "linear = nn.Linear(2, 3)"),
    ],
    uses_assert: [("dlm_snn.runs.raster", "def f(x):\n    assert x")],
    without_docstring: [
        ("dlm_snn.runs.raster", "x = 1"),
        ("dlm_snn.runs.raster", '"""."""\ndef f(): ...'),
        ("dlm_snn.runs.raster", '"""."""\nclass A:\n    """."""\n    def f(self): ...'),
    ],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule):
    broken = {module: found for module, tree in modules().items() if (found := rule(module, tree))}
    assert broken == {}


@pytest.mark.parametrize(
    ("rule", "module", "source"), [(rule, *control) for rule, controls in RULES.items() for control in controls]
)
def test_the_rule_catches_what_breaks_it(rule, module, source):
    assert rule(module, ast.parse(source))


@pytest.mark.parametrize(
    ("rule", "module", "source"),
    [
        (knows_what_stands_above, "experiments.runner", "from experiments import verb\nimport dlm_snn"),
        (knows_what_stands_above, "dlm_snn.runs.raster", "import json"),
        (
            tensors_without_a_device,
            "dlm_snn.training.training",
            "x = torch.zeros(3, device=y.device) + torch.zeros_like(y)",
        ),
        (process_folder_imports, "lava_processes.graph", "import torch\nclass P(Other): ..."),
        (
            process_folder_imports,
            "lava_processes.kwta.process",
            "import numpy as np\nfrom lava.x import AbstractProcess\nfrom dlm_snn.neurons.competition import winning\n"
            "class P(AbstractProcess): ...",
        ),
        (
            process_folder_imports,
            "lava_processes.kwta.process",
            "from lava_processes.neurons.process import NeuronProcess\nclass P(NeuronProcess): ...",
        ),
        (without_docstring, "dlm_snn.runs.raster", '"""."""\ndef _f(): ...\nclass _A:\n    def f(self): ...'),
    ],
)
def test_the_rule_lets_the_rest_pass(rule, module, source):
    assert rule(module, ast.parse(source)) == set()


def numpy_only() -> list[str]:
    return [name for name in modules() if any(fnmatch(name, pattern) for pattern in NUMPY_ONLY)]


@pytest.mark.parametrize("module", numpy_only())
def test_the_core_reaches_numpy_and_the_standard_library_only(module):
    assert reached(module, modules()) - sys.stdlib_module_names <= {"numpy", "dlm_snn"}


def test_reaching_torch_through_another_module_is_caught():
    known = {
        "dlm_snn": ast.parse(""),
        "dlm_snn.networks.network": ast.parse("from dlm_snn import middle"),
        "dlm_snn.middle": ast.parse("def f():\n    from dlm_snn.far import g"),
        "dlm_snn.far": ast.parse("import torch.nn"),
    }
    assert "torch" in reached("dlm_snn.networks.network", known)


def test_no_module_imports_itself_through_others():
    assert cycles(modules()) == set()


def test_a_cycle_is_caught():
    known = {
        "dlm_snn": ast.parse("if TYPE_CHECKING:\n    from dlm_snn import a"),
        "dlm_snn.a": ast.parse("from dlm_snn.b import x"),
        "dlm_snn.b": ast.parse("from dlm_snn import c"),
        "dlm_snn.c": ast.parse("import dlm_snn.a"),
        "dlm_snn.d": ast.parse("import dlm_snn.a\ndef f():\n    import dlm_snn.e"),
        "dlm_snn.e": ast.parse("import dlm_snn.d"),
    }
    assert cycles(known) == {"dlm_snn.a", "dlm_snn.b", "dlm_snn.c"}


def test_every_kind_of_import_is_seen():
    lines = "import a.b", "from c import d", "from . import e", "from .f import g", "from .. import h", "if x: import i"
    source = "\n".join(lines)
    seen = imports("dlm_snn.backends.torch", ast.parse(source))
    assert seen >= {"a.b", "c.d", "dlm_snn.backends.e", "dlm_snn.backends.f.g", "dlm_snn.h", "i"}
    assert "dlm_snn.backends.e" in imports("dlm_snn.backends", ast.parse("from . import e"))


def test_the_table_covers_the_packages_that_exist():
    assert {"dlm_snn", "lava_processes", "experiments"} <= set(PACKAGES)
    assert {"dlm_snn.networks.network", "dlm_snn.neurons.lif", "dlm_snn.backends.reference"} <= set(numpy_only())
    assert "lava_processes.kwta" in process_folders()
    assert any(fnmatch(module, "dlm_snn.backends.*brian2*") for module in modules())


@pytest.mark.parametrize("module", ["dlm_snn", *NUMPY_ONLY[:10], "dlm_snn.backends", "lava_processes"])
def test_importing_it_loads_nothing_heavy(module):
    script = f"import {module}, sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.split() == []
