"""Which accelerator counts and solves for learners that can use one: the variable DLM_DEVICE."""

from __future__ import annotations

import os

from dlm_snn.errors import DlmError

VARIABLE = "DLM_DEVICE"


def chosen_device() -> str | None:
    """torch's name of the device in $DLM_DEVICE, such as "cuda"; None where it is unset: NumPy and numba.

    Raises:
        DlmError: torch knows no such device, or it does not compute in float64.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    import torch

    try:
        torch.zeros(1, dtype=torch.float64, device=name).sum().item()
    except (RuntimeError, AssertionError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DlmError(
            f"{VARIABLE}={name}: no device with float64 ({reason}); name another, or unset it for this processor"
        ) from error
    return name


def device_name(device: str) -> str:
    """What the device calls itself: a card's name, else torch's."""
    import torch

    return str(torch.cuda.get_device_name(device)) if device.startswith("cuda") else device
