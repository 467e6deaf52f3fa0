"""A network in a shell and in a notebook: a line for each population, and never its weights."""

from __future__ import annotations

from html import escape
from typing import Any

from dlm_snn.description import told, unfailing

MOST = 4
"""Projections into one population that are named; further ones are counted."""


@unfailing
def as_text(network: Any) -> str:
    """A heading, and a line for each population."""
    rows = _rows(network)
    width = max(len(name) for name, _, _ in rows)
    lines = [f"  {name:<{width}}  {population}{' <- ' if into else ''}{into}" for name, population, into in rows]
    return "\n".join([f"{_heading(network)}:", *lines])


def as_html(network: Any) -> str:
    """The same as a table."""
    cells = [[escape(text) for text in row] for row in [("population", "what", "from"), *_rows(network)]]
    lines = ["<tr>" + "".join(f'<td style="text-align:left">{text}</td>' for text in row) + "</tr>" for row in cells]
    return f"<table><caption>{escape(_heading(network))}</caption>{''.join(lines)}</table>"


def _heading(network: Any) -> str:
    counts = ((len(network.populations), "population"), (len(network.projections), "projection"))
    return f"{type(network).__name__} of " + ", ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in counts)


def _rows(network: Any) -> list[tuple[str, str, str]]:
    """Name, parameters and incoming projections of each population."""
    found = []
    for name, population in network.populations.items():
        into = [_sender(p) for p in network.projections if p.post == name]
        if len(into) > MOST:
            into = [*into[:MOST], f"{len(into) - MOST} more"]
        found.append((name, told(population), ", ".join(into)))
    return found


def _sender(projection: Any) -> str:
    connection, delay = projection.connection, projection.delay
    steps = str(delay) if isinstance(delay, int) else "by synapse"
    late = "" if steps == "1" else f", delay {steps}"
    return f"{projection.pre} ({type(connection).__name__} {connection.n_post} x {connection.n_pre}{late})"
