"""What every dataset and every raster format keeps, ours and those of other packages."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from dlm_snn import DlmError, SpikeRaster, plugins
from dlm_snn.errors import MissingError
from dlm_snn.exchange.formats import read_path, write_rasters
from dlm_snn.exchange.known_formats import formats
from dlm_snn.tasks.datasets import ARRAYS, Dataset
from dlm_snn.tasks.parts import DataConfig, split
from dlm_snn.tasks.protocols import protocol
from dlm_snn.tasks.sequences import TaskSequence

WRITTEN = [ending for ending, known in formats().items() if known.holds == "rasters" and known.writer is not None]


@cache
def data(name: str, empty: Path) -> Dataset:
    """Without files: what needs some has tests of its own."""
    try:
        return plugins.load("dlm_snn.datasets", name)(empty)
    except MissingError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", plugins.names("dlm_snn.datasets"))
def test_a_dataset_is_what_it_says(name, tmp_path):
    found = data(name, tmp_path)
    assert isinstance(found, Dataset)
    content = b"".join(getattr(found, array).astype(np.uint8).tobytes() for array in ARRAYS)
    assert found.checksum == hashlib.sha256(content).hexdigest()
    assert set(np.unique(found.y_train)) == set(range(found.n_classes))
    assert found.checksum == plugins.load("dlm_snn.datasets", name)(tmp_path).checksum, "drawn anew each time"


@pytest.mark.parametrize("name", plugins.names("dlm_snn.datasets"))
def test_any_dataset_is_split_into_tasks_of_two_classes(name, tmp_path):
    classes = data(name, tmp_path).n_classes
    tasks = list(TaskSequence(protocol(f"split/{name}"), split(DataConfig(dataset=name, data_dir=tmp_path)), seed=0))
    assert len(tasks) == classes // 2
    assert sorted(c for task in tasks for c in task.classes) == list(range(classes))
    assert all(set(np.unique(part)) == set(task.classes) for task in tasks for part in (task.y_train, task.y_test))


@pytest.mark.parametrize("ending", WRITTEN)
def test_a_raster_format_gives_back_what_it_was_given(ending, tmp_path):
    raster = SpikeRaster.from_dense(np.random.default_rng(3).random((2, 9, 5)) < 0.3, dt=0.002)
    path = tmp_path / f"cells{ending}"
    write_rasters({"cells": raster}, path)
    assert read_path(path).rasters == {"cells": raster}
    with pytest.raises(DlmError, match="exists"):
        write_rasters({"cells": raster}, path)
    write_rasters({"cells": raster[:, :4]}, path, replace=True)
    assert read_path(path).rasters == {"cells": raster[:, :4]}
