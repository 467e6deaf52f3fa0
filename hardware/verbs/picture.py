"""The cores of a placement as a picture file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, nearest
from dlm_snn.files.atomic import check, writing
from hardware.messages import Traffic
from hardware.on_chip import memory
from hardware.placement import Placement

ENDINGS = ("svg", "png", "pdf")


def check_picture(path: Path) -> None:
    """Refuse what ``draw`` would refuse, before the work.

    Raises:
        DlmError: another ending, or a file that is there already.
    """
    ending = path.suffix.removeprefix(".")
    if ending not in ENDINGS:
        raise DlmError(f"--picture {path}: no picture of the kind '{ending}'; {nearest(ending, ENDINGS)}")
    check(path)


def draw(placed: Placement, busy: Traffic, chips: NDArray[np.int64] | None, path: Path) -> None:
    """Draw how full each core is, on the first chips.

    Raises:
        DlmError: see ``check_picture``.
    """
    from dlm_snn.analysis.plots.style import styled
    from dlm_snn.report.chip import MEMORY
    from dlm_snn.report.mesh import mesh, order

    values = memory(placed)
    with styled():
        figure = mesh(values, MEMORY, 100.0, chips)
        figure.suptitle(order(values), fontsize=8)
        content = BytesIO()
        figure.savefig(content, format=path.suffix.removeprefix("."), dpi=150)
    with writing(path) as file:
        file.write(content.getvalue())
