"""Our networks inside a Lava user's own graph: RingBuffer -> ours -> own LIF, two Monitors, and a probe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lava")
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("form", ["stock", "stock delays", "fused", "set"])
@pytest.mark.parametrize("target", ["float", "fixed"])
def test_nothing_differs_in_a_users_own_graph(target, form):
    words = [sys.executable, "-m", "tests.lava_graph", target, form]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.stdout.strip().endswith("equal"), done.stdout + done.stderr


def test_lava_is_imported_where_processes_were_started_before():
    """Lava chooses to fork at its import, which Python refuses then; and running the columns needs no Lava here."""
    code = (
        "import multiprocessing, sys, lava_processes.columns_run; assert 'lava' not in sys.modules\n"
        "p = multiprocessing.Process(target=int); p.start(); p.join()\n"
        "import lava_processes.graph, lava.magma.core.process.process\n"
        "assert multiprocessing.get_start_method() == 'fork'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
