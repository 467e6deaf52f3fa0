"""Tasks: data with checksums, their parts, and the sequences that learners meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "DataConfig": "parts",
    "Dataset": "datasets",
    "Protocol": "protocols",
    "Split": "parts",
    "Task": "sequences",
    "TaskSequence": "sequences",
    "digits": "datasets",
    "mnist": "datasets",
    "nmnist_excerpt": "recordings",
    "protocol": "protocols",
    "split": "parts",
}

__all__ = [
    "DataConfig",
    "Dataset",
    "Protocol",
    "Split",
    "Task",
    "TaskSequence",
    "digits",
    "mnist",
    "nmnist_excerpt",
    "protocol",
    "split",
]

if TYPE_CHECKING:
    from dlm_snn.tasks.datasets import Dataset, digits, mnist
    from dlm_snn.tasks.parts import DataConfig, Split, split
    from dlm_snn.tasks.protocols import Protocol, protocol
    from dlm_snn.tasks.recordings import nmnist_excerpt
    from dlm_snn.tasks.sequences import Task, TaskSequence

__getattr__, __dir__ = exports(__name__, _HOME)
