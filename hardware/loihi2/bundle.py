"""``write_bundle``: a folder that somebody with a board runs: network, stimulus, the spikes that must come out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from dlm_snn import __version__
from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import check, writing_folder
from dlm_snn.files.checksums import checksums
from dlm_snn.files.layouts import FolderKind, json_file
from dlm_snn.files.packed import write_npz
from dlm_snn.files.reading import sealed
from dlm_snn.runs.raster import SpikeRaster
from hardware.loihi2 import contents, rasters
from hardware.loihi2.form import as_data
from hardware.loihi2.prepared import Prepared
from hardware.loihi2.readme import readme

HERE = Path(__file__).parent
PARTS = (
    *("__init__", "adapters/__init__", "adapters/process", "host/__init__", "host/process"),
    *("board", "contents", "graph", "rasters", "running", "script"),
)
"""Modules that a bundle carries."""
PLACEMENT, README, SCRIPT = "placement.txt", "README.md", "run.py"
SIMULATED = "got-cpu.npz"
"""What a run on Lava's simulator leaves: it can be made again, unlike what came back from a board."""
BUNDLE = FolderKind(
    "a deployment bundle",
    {
        **dict.fromkeys((PLACEMENT, README, SCRIPT, contents.RECORD), None),
        **dict.fromkeys((contents.NETWORK, contents.STIMULUS, contents.EXPECTED, SIMULATED), None),
        **dict.fromkeys((f"parts/{name}.py" for name in (*PARTS, "lava_mend")), None),
        **dict.fromkeys((f"parts/{name}__pycache__/*" for name in ("", "adapters/", "host/")), None),
    },
    (contents.RECORD, json_file("the record of a bundle", equal={"format": contents.FORMAT})),
)


def check_bundle(path: Path, replace: bool = False) -> None:
    """Refuse what ``write_bundle`` would refuse, before the work.

    Raises:
        DlmError: as it.
    """
    back = sorted(file.name for file in path.glob("got-*.npz") if file.name != SIMULATED) if replace else []
    if back:
        raise DlmError(f"{path} is not replaced: {back[0]} may come from a board; move it away, or choose another name")
    check(path, BUNDLE, replace)


def write_bundle(ready: Prepared, path: Path, replace: bool = False) -> None:
    """Write the folder, whole or not at all.

    Args:
        ready: of ``prepared``.
        path: of the folder.
        replace: a bundle of that name gives way.

    Raises:
        DlmError: it exists and must not be replaced, or cannot be written.
    """
    check_bundle(path, replace)
    told, arrays = as_data(ready.windows)
    with writing_folder(path, BUNDLE, replace) as folder:
        _code(folder)
        for name, content in (
            (contents.NETWORK, arrays),
            (contents.STIMULUS, ready.stimulus),
            (contents.EXPECTED, rasters.arrays({name: _plain(own) for name, own in ready.expected.items()})),
        ):
            with (folder / name).open("wb") as file:
                write_npz(file, content)
        (folder / PLACEMENT).write_text(f"{ready.placement}\n")
        (folder / README).write_text(readme(ready))
        record = {
            "format": contents.FORMAT,
            "version": contents.VERSION,
            "made_by": f"dlm-snn {__version__}",
            "network": ready.digest,
            "n_windows": ready.n_windows,
            **told,
            "files": checksums(folder),
        }
        (folder / contents.RECORD).write_text(json.dumps(sealed(record), indent=1) + "\n")


def _plain(raster: SpikeRaster) -> rasters.Raster:
    return rasters.Raster(raster.sample, raster.step, raster.neuron, raster.extent)


def _code(folder: Path) -> None:
    """The script and its modules: those here, and what lets lava-nc be imported on Python 3.11 and later."""
    from lava_processes import _compat

    shutil.copyfile(HERE / SCRIPT, folder / SCRIPT)
    for name in PARTS:
        target = folder / "parts" / f"{name}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / f"{name}.py", target)
    shutil.copyfile(_compat.__file__, folder / "parts" / "lava_mend.py")
