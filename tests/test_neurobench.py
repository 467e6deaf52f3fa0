"""Operations and sparsity as NeuroBench 2.3.0 counts them: its figures here, itself under ``make neurobench``."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

import pytest

from benchmarks.neurobench_counts import VERSION, Counts, networks, ours, theirs

FIGURES: dict[str, Counts] = {
    "dense, binary input": Counts(operations=53544.825, dense=813056.0, sparsity=0.6827445652173914),
    "dense, graded input": Counts(operations=10664.5, dense=56832.0, sparsity=0.716627358490566),
    "convolution": Counts(operations=25945.15, dense=316160.0, sparsity=0.8508936952440551),
}
"""What NeuroBench 2.3.0 counted; operations and dense per sample."""


@pytest.mark.parametrize("name", networks())
def test_our_counts_are_those_of_neurobench(name: str) -> None:
    found = ours(*networks()[name])
    assert (found.operations, found.dense) == (FIGURES[name].operations, FIGURES[name].dense)
    assert found.operations < found.dense < 2**24
    assert found.sparsity == pytest.approx(FIGURES[name].sparsity, abs=1e-12)
    assert 0.6 < found.sparsity < 0.99


@pytest.mark.skipif(find_spec("neurobench") is None, reason="needs NeuroBench itself: make neurobench")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", networks())
def test_neurobench_itself_counts_so(name: str) -> None:
    assert version("neurobench") == VERSION
    found = theirs(*networks()[name])
    assert found == FIGURES[name]
