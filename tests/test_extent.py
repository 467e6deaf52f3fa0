"""MemorySink is told before it is taken: against what is free, of all that a run keeps."""

from __future__ import annotations

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.files.free_memory import free_memory
from dlm_snn.networks import extent
from dlm_snn.networks.extent import check_memory
from dlm_snn.runs.sink import MemorySink

GIB = 2**30


def small(n: int = 10) -> dlm.Network:
    return dlm.Network(
        {"x": dlm.Input((4,)), "a": dlm.LIF((n,), dv=0.1)}, [dlm.Projection("x", "a", dlm.Dense(np.ones((n, 4))))]
    )


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch):
    """Sets how much is free."""
    return lambda size: monkeypatch.setattr(extent, "free_memory", lambda: size)


def asked(free, size: int, **options) -> bool:
    """Whether a run of 100,000 samples x 100 steps is taken where so much is free."""
    free(size)
    try:
        check_memory(small(), 100_000, 100, **options)
    except dlm.DlmError:
        return False
    return True


@pytest.mark.parametrize(
    ("options", "bytes_"),
    [
        ({"chosen": {}}, 16 * 10),
        ({"chosen": {"s": ["a"]}}, 16 * 10),
        ({"chosen": {"s": ["a"]}, "spike_bytes": 1}, (16 + 100) * 10),
        ({"chosen": {"u": ["a"], "v": ["a"]}, "spike_bytes": 1}, (16 + 1600) * 10),
        ({"chosen": {"s": ["a"]}, "spike_bytes": 1, "sent_bytes": 8}, (16 + 900) * 10 + 800 * 4),
    ],
)
def test_what_is_kept_is_counted_to_the_byte(free, monkeypatch, options, bytes_):
    monkeypatch.setattr(extent, "SMALL", 0)
    assert asked(free, bytes_ * 100_000, **options)
    assert not asked(free, bytes_ * 100_000 - 1, **options)


def test_the_reference_refuses_a_record_of_spikes_that_the_fast_simulator_takes(free):
    free(GIB)
    stimulus = {"x": np.zeros((1, 4), int)}
    told = r"population 'a' of 10 neurons needs 1.01 GiB \(all populations: 1\.\d+\) for 1 sample x 12,000,000 steps, "
    with pytest.raises(dlm.DlmError, match=told + r"1 are free; .* or take backend 'fast', which keeps events alone"):
        dlm.run(small(), stimulus, 12_000_000)
    sample, step, neuron = (np.zeros(0, int) for _ in range(3))
    quiet = {"x": dlm.SpikeRaster(sample, step, neuron, 1, 10, 4)}
    assert len(dlm.run(small(), quiet, 10, backend="fast").rasters["a"]) == 0
    check_memory(small(), 1, 12_000_000, {"s": ["a"]})


def test_every_backend_says_what_it_keeps(free):
    free(GIB // 2)
    for backend in ("reference", "torch"):
        with pytest.raises(dlm.DlmError, match=r"population 'a' of 1000 neurons needs .* GiB"):
            dlm.run(small(1000), {"x": np.zeros((1, 4), int)}, 600_000, backend=backend)


def test_chunks_that_are_collected_in_memory_are_told_at_the_first(free):
    free(GIB)
    chunks = ({"x": np.zeros((1, 5, 4), int)} for _ in range(3))
    with pytest.raises(dlm.DlmError, match=r"population 'a' of 10 neurons needs .* record into a FolderSink"):
        dlm.run(small(), chunks, 20_000_000, record=MemorySink(("v",)), backend="fast")


def test_a_calibration_is_told_too(free):
    free(GIB)
    with pytest.raises(dlm.DlmError, match=r"population 'a' of 1000 neurons needs 2\.\d+ GiB"):
        dlm.quantize(small(1000), calibration={"x": np.zeros((1, 4), int)}, n_steps=100_000)


MEMINFO = "MemTotal: 24683652 kB\nMemFree: 100 kB\nMemAvailable:  2048 kB\n"


def tree(root, files: dict[str, str]):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


SECOND = "sys/fs/cgroup"
FIRST = "sys/fs/cgroup/memory"
GROUPS = {
    "no group": ({}, 2048 * 1024),
    "unlimited": ({"proc/self/cgroup": "0::/a/b\n", f"{SECOND}/a/b/memory.max": "max\n"}, 2048 * 1024),
    "own": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            f"{SECOND}/a/b/memory.max": "1000000\n",
            f"{SECOND}/a/b/memory.current": "400000\n",
            f"{SECOND}/a/b/memory.stat": "anon 5\ninactive_file 50000\nactive_file 7\n",
        },
        650000,
    ),
    "above": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            f"{SECOND}/a/b/memory.max": "1000000\n",
            f"{SECOND}/a/b/memory.current": "400000\n",
            f"{SECOND}/a/memory.max": "1000000\n",
            f"{SECOND}/a/memory.current": "900000\n",
        },
        100000,
    ),
    "the mount of a container": (
        {
            "proc/self/cgroup": "0::/of/the/host\n",
            f"{SECOND}/memory.max": "1000\n",
            f"{SECOND}/memory.current": "10\n",
        },
        990,
    ),
    "first version": (
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/a\n",
            f"{FIRST}/a/memory.limit_in_bytes": "1000000\n",
            f"{FIRST}/a/memory.usage_in_bytes": "999000\n",
        },
        1000,
    ),
    "beyond": (
        {
            "proc/self/cgroup": "0::/a\n",
            f"{SECOND}/a/memory.max": "10\n",
            f"{SECOND}/a/memory.current": "20\n",
        },
        0,
    ),
}


@pytest.mark.parametrize("name", GROUPS)
def test_free_is_the_least_of_the_machine_and_its_groups(tmp_path, name):
    files, free = GROUPS[name]
    assert free_memory(tree(tmp_path, {"proc/meminfo": MEMINFO, **files})) == free


def test_where_the_system_does_not_say_it_is_what_it_has(tmp_path):
    assert free_memory(tmp_path) > 0
    assert 0 < free_memory() < 2**50
