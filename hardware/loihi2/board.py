"""Whether there is a Loihi 2 to run on, and the claim on it. The vendor's extension is looked for, never needed.

Its settings go through ``lava.utils.loihi`` of lava-nc: a SLURM partition or board, or a board's own address.
"""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from typing import Any

EXTENSION = "lava.proc.embedded_io"
GENERATIONS = ("N3B2", "N3B3", "N3C1", "N3D1")


def missing(host: str | None = None) -> str | None:
    """What is missing for a run on a chip, in words; None where nothing is.

    Args:
        host: the address of a board, where it is not SLURM that lends one.
    """
    if find_spec("lava") is None:
        return "lava-nc is not installed"
    from lava.utils import loihi

    if not loihi.is_installed() or find_spec(EXTENSION) is None:
        return "Intel's extension of Lava (lava-loihi, for members of its research community) is not installed"
    if host is None and not os.environ.get("NXSDKHOST") and not lines_of("sinfo"):
        return "no board: SLURM (sinfo) is not there, and neither --host nor NXSDKHOST names one"
    return None


def lines_of(*command: str) -> list[str]:
    """What a command prints, line by line without the first; nothing where it cannot run.

    Lava's own look at SLURM stumbles over the end of these lines, and over a machine without SLURM.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line for line in done.stdout.splitlines()[1:] if line.strip()]


def claim(
    host: str | None = None, partition: str | None = None, board: str | None = None, generation: str = "N3B3"
) -> str:
    """Have Lava run on a board, and say which.

    Raises:
        ValueError, ImportError, OSError: what is against it, in words.
    """
    from lava.utils import loihi

    kind = loihi.ChipGeneration[generation]
    address = host or (None if partition or board else os.environ.get("NXSDKHOST"))
    if address:
        loihi.use_ethernet_host(address, loihi_gen=kind)
        return f"board at {address}"
    loihi.use_slurm_host(loihi_gen=kind)
    for variable, name, found in (
        ("PARTITION", partition, [line.split()[0].rstrip("*") for line in lines_of("sinfo")]),
        ("BOARD", board, [line.split()[0] for line in lines_of("sinfo", "-N")]),
    ):
        if name is not None and name not in found:
            raise ValueError(f"SLURM has no {variable.lower()} '{name}'; known: {', '.join(sorted(set(found)))}")
        if name is not None:
            os.environ[variable] = name
    return f"SLURM, {board or partition or 'any board'}"


def hardware_config() -> Any:
    """Lava's configuration for a chip; it refuses where a population or projection would run in Python.

    Lava itself falls back to its Python models without a word.
    """
    from lava.magma.core.model.py.model import AbstractPyProcessModel
    from lava.magma.core.run_configs import AbstractNcProcessModel, Loihi2HwCfg
    from lava.proc.conv.process import Conv
    from lava.proc.dense.process import DelayDense, Dense
    from lava.proc.lif.process import LIFReset
    from lava.proc.sparse.process import DelaySparse, Sparse

    from .adapters.process import InputAdapter, NcInputAdapter, NcOutputAdapter, OutputAdapter
    from .contents import BundleError

    on_chip = (LIFReset, Dense, DelayDense, Sparse, DelaySparse, Conv)

    class OnChip(Loihi2HwCfg):  # type: ignore[misc]
        """Loihi2HwCfg without its fall-back."""

        def select(self, process: Any, proc_models: Any) -> Any:
            """The model of a process."""
            chosen = super().select(process, proc_models)
            python = issubclass(chosen, AbstractPyProcessModel) and not issubclass(chosen, AbstractNcProcessModel)
            if python and type(process) in on_chip:
                raise BundleError(
                    f"'{process.name}' ({type(process).__name__}) would run in Python ({chosen.__name__}), not on the "
                    "chip: the extension has no model of it; nothing was run"
                )
            return chosen

    return OnChip(exception_proc_model_map={InputAdapter: NcInputAdapter, OutputAdapter: NcOutputAdapter})
