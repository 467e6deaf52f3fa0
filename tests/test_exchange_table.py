"""The tables of docs/exchange.md are what round trips give."""

from __future__ import annotations

from pathlib import Path

from tests.exchange_table import tables


def test_the_page_tells_what_survives():
    page = (Path(__file__).resolve().parent.parent / "docs" / "exchange.md").read_text()
    assert page.endswith(tables()), "run python -m tests.exchange_table and put its tables at the end of the page"
