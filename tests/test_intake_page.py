"""The tables of docs/intake.md are what from_torch does and says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake_page import tables


@pytest.mark.filterwarnings("ignore:Inhibition is an unstable feature")
def test_the_page_tells_what_comes_in_and_what_each_refusal_says() -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "intake.md").read_text()
    assert page.endswith(tables()), "run python -m tests.intake_page and put what it prints at the end of the page"
