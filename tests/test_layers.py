"""Which part may know which: the layer table, held over the syntax tree of every module.

Each rule is a function (module name, syntax tree) -> what breaks it, tried on a module that breaks it too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import cache

import pytest

from benchmarks import house
from benchmarks.house import PACKAGES, ROOT, from_where, is_package, modules, statements

HEAVY = {"torch", "snntorch", "lava", "brian2", "matplotlib", "sklearn", "scipy"}
NUMPY_ONLY = (
    "dlm_snn.networks.network",
    "dlm_snn.networks.timing",
    "dlm_snn.networks.clocked",
    "dlm_snn.networks.extent",
    "dlm_snn.networks.known",
    "dlm_snn.networks.delays",
    "dlm_snn.networks.signs",
    "dlm_snn.runs.raster",
    "dlm_snn.runs.events",
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


def imports(module: str, tree: ast.Module) -> set[str]:
    """Dotted names that a module imports: what stands after ``import``, or ``from x import y`` as x and x.y.

    Not what is imported for types only.
    """
    found = set()
    for node in statements(tree, types=False):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = from_where(module, node)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def ours(module: str, tree: ast.Module, known: Mapping[str, ast.Module]) -> set[str]:
    """The modules of ours that a module imports, the packages around them included."""
    found = set()
    for name in imports(module, tree):
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
            waiting += ours(name, known[name], known)
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


def chips_know_simulators(module: str, tree: ast.Module) -> set[str]:
    """A chip is checked on a laptop that has neither torch nor Lava; only what deploys knows Lava."""
    if not module.startswith("hardware") or module.startswith("hardware.loihi2"):
        return set()
    return imports_of({"torch", "snntorch", "lava", "lava_processes", "brian2"}, module, tree)


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
    chips_know_simulators: [("hardware.placement", "def f():\n    from lava_processes import build")],
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
        ("dlm_snn.training.loop", "import torch\ndef f():\n    return torch.zeros(3, dtype=int)"),
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


PAIR = {"dlm_snn.runs.raster", "dlm_snn.runs.raster_files"}
"""``SpikeRaster.save`` and ``load`` know the files, whose module makes rasters."""


def test_no_module_imports_itself_through_others():
    """Every import counts, inside functions and under TYPE_CHECKING too."""
    assert house.module_loops(modules()) == [PAIR]


@pytest.mark.parametrize("back", ["from dlm_snn.a import x", "def f():\n    import dlm_snn.a"])
@pytest.mark.parametrize("way", ["from dlm_snn import b", "if TYPE_CHECKING:\n    from dlm_snn.b import c"])
def test_a_loop_of_modules_is_caught(way, back):
    sources = {"dlm_snn": "from dlm_snn import d", "dlm_snn.a": way, "dlm_snn.b": back, "dlm_snn.d": "import dlm_snn.a"}
    known = {name: ast.parse(source) for name, source in sources.items()}
    assert house.module_loops(known) == [{"dlm_snn.a", "dlm_snn.b"}]


def test_rooms_import_what_contributing_lists_and_nothing_else():
    """CONTRIBUTING.md, "The rooms"; python -m benchmarks.house prints what differs."""
    listed = house.listed_arrows((ROOT / "CONTRIBUTING.md").read_text())
    assert listed == house.arrows(modules())
    assert house.loops(listed) == []


def test_the_table_of_rooms_is_read_and_arrows_are_those_of_rooms():
    rows = "| room | what | may import |\n|---|---|---|\n| `a` | x | - |\n| `b.c` | y | a, d |\n"
    assert house.listed_arrows(rows) == {"a": set(), "b.c": {"a", "d"}}
    sources = {
        "dlm_snn.errors": "import json",
        "dlm_snn.learning.columns.rule": "from dlm_snn.errors import DlmError\nfrom dlm_snn.learning.columns import x",
        "dlm_snn.runs.raster": "def f():\n    from dlm_snn.learning.columns.rule import R",
        "lava_processes.kwta.process": "import dlm_snn.runs.raster",
        "experiments.tables": "import experiments",
    }
    found = house.arrows({name: ast.parse(source) for name, source in sources.items()})
    assert found == {
        "errors": set(),
        "learning.columns": {"errors"},
        "runs": {"learning.columns"},
        "lava_processes": {"runs"},
        "experiments.tables": set(),
    }
    assert house.loops({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [{"b", "c"}]


def test_folders_files_and_functions_stay_small():
    many = {folder: found for folder, most in house.FILES.items() if (found := house.in_folder(folder)) > most}
    long = [found for found in house.files(modules()) if found[0] > house.LONGEST_FILE]
    long += [found for found in house.functions(modules()) if found[0] > house.LONGEST_FUNCTION]
    assert (many, long) == ({}, [])


def test_code_stands_once():
    assert house.share_twice(house.path_of(name).read_text() for name in modules()) <= house.TWICE


def without_names(tree: ast.Module) -> ast.Module:
    """A package that shows names, without these."""
    return ast.Module([node for node in tree.body if isinstance(node, ast.ImportFrom)], [])


def alone(known: Mapping[str, ast.Module], entry_points: str) -> set[str]:
    """Modules that no other imports or names, no entry point names and no shell starts.

    What ``dlm_snn`` itself shows is used by whoever uses us; to be shown by a package below is no use.
    """
    users = {name: without_names(tree) if name in house.SHOWN[1:] else tree for name, tree in known.items()}
    reached = {other for name, tree in users.items() for other in house.imported(name, tree, known.keys())}
    for name, tree in users.items():
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        reached |= {text.partition(":")[0] for text in texts} | ({name} if "__main__" in texts else set())
        # f"dlm_snn.folder.{name}" loads whatever lies in the folder.
        folders = {text.removesuffix(".") for text in texts if text.endswith(".")}
        reached |= {other for other in known if other.rpartition(".")[0] in folders - {""}}
    reached |= {line.split('"')[1].partition(":")[0] for line in entry_points.splitlines() if line.count('"') == 2}
    return {name for name in known.keys() - reached if not is_package(name)}


def test_what_only_a_library_uses_says_so_first():
    lonely = alone(modules(), (ROOT / "pyproject.toml").read_text())
    assert {"dlm_snn.physics.membranes.flux", "lava_processes.ledger_lif.process"} <= lonely
    first = {name: (ast.get_docstring(modules()[name]) or "").partition("\n")[0] for name in lonely}
    assert [name for name, line in first.items() if "for use as a library" not in line] == []


def test_a_module_that_is_imported_named_or_started_is_not_alone():
    sources = {"a": "import b", "b": "x = 'c:main'", "c": "", "d": "if __name__ == '__main__': ...", "e": "", "f": ""}
    assert alone({name: ast.parse(source) for name, source in sources.items()}, 'verb = "e:VERB"') == {"a", "f"}


def test_lines_are_counted():
    tree = ast.parse("def f():\n    return [\n    ]\nclass A:\n    async def g(self): ...")
    assert sorted(house.functions({"m": tree})) == [(1, "m.g"), (3, "m.f")]
    text = (ROOT / "dlm_snn/neurons/__init__.py").read_text()
    assert list(house.files({"dlm_snn.neurons": tree})) == [(text.count("\n"), "dlm_snn.neurons")]
    body = '"""Doc."""\nimport a\n\n# told\n' + "\n".join(f"x{i} = {i}" for i in range(7))
    assert house.code_lines(body) == [f"x{i} = {i}" for i in range(7)]
    assert house.share_twice(iter([body, "y = 0"])) == 0
    assert house.share_twice(iter([body, body.replace("x0", "z")])) == 0.5


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


@pytest.mark.parametrize("module", ["dlm_snn", *NUMPY_ONLY[:13], "dlm_snn.backends", "lava_processes"])
def test_importing_it_loads_nothing_heavy(module):
    script = f"import {module}, sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.split() == []
