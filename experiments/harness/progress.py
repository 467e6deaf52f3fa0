"""How far a long command is, told on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[str, int, int], None]
"""(what is going on, steps done, steps in all)."""


@contextmanager
def progress() -> Iterator[Show]:
    """A bar on the terminal; one line a stage where the output is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        said: list[str] = []

        def say(stage: str, done: int, total: int) -> None:
            if stage not in said:
                said.append(stage)
                console.print(f"  {stage}", highlight=False)

        yield say
        return
    columns = (TextColumn("{task.description:<48}"), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def show(stage: str, done: int, total: int) -> None:
            progress.update(task, description=stage, completed=done, total=total)

        yield show
