"""Hypothesis draws the same examples everywhere and keeps none on disk; one thread a worker."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Before NumPy and torch are imported, and for every process that a test starts: two workers that each take all cores
# wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("fixed", deadline=None, derandomize=True, database=None, max_examples=20)
settings.register_profile("many", settings.get_profile("fixed"), max_examples=100)
settings.load_profile("fixed")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """torch on one thread: sums keep their order, and small networks are fastest so."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
