"""The bars of the house: files of a folder, longest file and function, loops of imports, arrows of rooms, lines twice.

Run: python -m benchmarks.house. It reads the modules of our packages as text and runs none of them.

A room is a folder of modules; a module that lies in ``dlm_snn`` or ``experiments`` itself is one of its own, and
``lava_processes`` is one as a whole. Every import counts, inside functions and under TYPE_CHECKING too. A window of
six lines is six that follow one another in a file, stripped, without blank lines, comments, imports and docstrings.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = [name for name in ("dlm_snn", "lava_processes", "hardware", "experiments") if (ROOT / name).is_dir()]
WINDOW = 6
LONGEST_FILE, LONGEST_FUNCTION, TWICE = 350, 50, 0.012
FILES = {"dlm_snn": 13, "dlm_snn/learning": 5, "experiments": 3}
"""Folder -> modules that may lie in it, folders left out."""
OPEN_FOLDERS = ("dlm_snn", "experiments")
"""Whose modules are rooms of their own."""
SHOWN = (
    "dlm_snn",
    *(f"dlm_snn.{name}" for name in ("analysis", "continual", "exchange", "learning", "physics", "tasks", "training")),
    "dlm_snn.analysis.plots",
    "lava_processes",
    "hardware",
)
"""Packages whose names users import. What stands behind the names is loaded later: their imports are no arrows."""
_ROW = re.compile(r"^\| `(?P<room>[\w.]+)` \| [^|]+ \| (?P<may>[^|]*) \|$", re.M)

Trees = Mapping[str, ast.Module]
"""Dotted name -> syntax tree of modules."""


def path_of(module: str) -> Path:
    """The file of a module of ours."""
    place = ROOT / Path(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@cache
def modules() -> dict[str, ast.Module]:
    """Dotted name -> syntax tree of every module of ours."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def is_package(module: str) -> bool:
    """Whether a module of ours is a folder."""
    return (ROOT / Path(*module.split("."))).is_dir()


def statements(tree: ast.AST, functions: bool = True, types: bool = True) -> Iterator[ast.stmt]:
    """All statements, or those outside functions, or without those under ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if not types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.stmt):
            yield node
        if functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from statements(node, functions, types)


def from_where(module: str, node: ast.ImportFrom) -> str:
    """The dotted name behind ``from``, dots in front of it resolved."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package(module)]
    return ".".join([*parts, *([node.module] if node.module else [])])


def imported(module: str, tree: ast.Module, known: Set[str]) -> set[str]:
    """The modules among the known ones that a module imports anywhere, without the packages around them."""
    found = set()
    for node in statements(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = from_where(module, node)
            found |= {name if (name := f"{base}.{alias.name}") in known else base for alias in node.names}
    return (found & known) - {module}


def loops(edges: Mapping[str, Set[str]]) -> list[set[str]]:
    """The groups in which everything reaches everything else."""
    reach = {start: _reached(start, edges) for start in edges}
    groups = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in edges if a in reach[a]}
    return [set(group) for group in sorted(groups, key=sorted)]


def _reached(start: str, edges: Mapping[str, Set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += edges.get(name, ())
    return seen


def module_loops(known: Trees) -> list[set[str]]:
    """Modules that import one another in a circle."""
    return loops({name: imported(name, tree, known.keys()) for name, tree in known.items()})


def room(module: str) -> str:
    """The room in which a module lies, without the ``dlm_snn.`` in front."""
    if module.startswith("lava_processes"):
        return "lava_processes"
    folder = module if is_package(module) else module.rpartition(".")[0]
    return (module if folder in OPEN_FOLDERS else folder).removeprefix("dlm_snn.")


def arrows(known: Trees) -> dict[str, set[str]]:
    """Room -> rooms that its modules import; what packages show to users is left out."""
    found: dict[str, set[str]] = {}
    for name, tree in known.items():
        if name in SHOWN:
            continue
        here = room(name)
        found.setdefault(here, set()).update(room(other) for other in imported(name, tree, known.keys()))
    return {here: there - {here, *OPEN_FOLDERS} for here, there in found.items() if here not in OPEN_FOLDERS}


def listed_arrows(text: str) -> dict[str, set[str]]:
    """Room -> rooms that it may import, by the table of CONTRIBUTING.md."""
    return {row["room"]: set(re.findall(r"[\w.]+", row["may"])) for row in _ROW.finditer(text)}


def functions(known: Trees) -> Iterator[tuple[int, str]]:
    """Lines and name of every function."""
    for name, tree in known.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1, f"{name}.{node.name}"


def files(known: Trees) -> Iterator[tuple[int, str]]:
    """Lines and name of every module."""
    for name in known:
        yield len(path_of(name).read_text().splitlines()), name


def in_folder(folder: str) -> int:
    """How many modules lie in a folder itself."""
    return len(list((ROOT / folder).glob("*.py")))


def code_lines(text: str) -> list[str]:
    """Lines of code, stripped: no blank ones, comments, imports or docstrings."""
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        texts = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if texts or isinstance(node, ast.Import | ast.ImportFrom):
            left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = [line.strip() for number, line in enumerate(text.splitlines(), 1) if number not in left_out]
    return [line for line in lines if line and not line.startswith("#")]


def share_twice(texts: Iterator[str]) -> float:
    """Share of the six-line windows that stand more than once."""
    count: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        lines = code_lines(text)
        count.update(tuple(lines[i : i + WINDOW]) for i in range(len(lines) - WINDOW + 1))
    return sum(n for n in count.values() if n > 1) / max(count.total(), 1)


def main() -> None:
    """Print every bar and where we stand."""
    known = modules()
    for folder, most in FILES.items():
        print(f"modules in {folder}: {in_folder(folder)} (at most {most})")
    for what, most, found in (("file", LONGEST_FILE, files(known)), ("function", LONGEST_FUNCTION, functions(known))):
        lines, name = max(found)
        print(f"longest {what}: {lines} lines, {name} (at most {most})")
    print(f"six-line windows twice: {share_twice(path_of(n).read_text() for n in known):.2%} (at most {TWICE:.1%})")
    print(f"loops of modules: {'; '.join(' <-> '.join(sorted(group)) for group in module_loops(known)) or 'none'}")
    drawn = arrows(known)
    print(f"loops of rooms: {'; '.join(' <-> '.join(sorted(group)) for group in loops(drawn)) or 'none'}")
    listed = listed_arrows((ROOT / "CONTRIBUTING.md").read_text())
    for here in sorted(drawn.keys() | listed.keys()):
        more, idle = (a.get(here, set()) - b.get(here, set()) for a, b in ((drawn, listed), (listed, drawn)))
        if more or idle:
            print(f"{here}: imports beyond its row: {sorted(more) or '-'}; listed and not used: {sorted(idle) or '-'}")


if __name__ == "__main__":
    main()
