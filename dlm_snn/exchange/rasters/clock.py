"""Clocks of cameras: a counter that begins again goes on, one that was set anew is refused."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, LossWarning

SET_ANEW = 10**6
"""Microseconds. Cameras mix up events of some milliseconds; who goes back further counts from another zero."""


class Clock:
    """Times in microseconds, piece by piece, in the order of the file.

    A counter that began again lies more than half its range before the event before; its times go on. Any other event
    that comes before the one before it is out of order, which does no harm.

    Args:
        where: the times stand, for messages.
        bits: of the counter; None: it does not begin again.
        most: microseconds that an event may go back.
    """

    def __init__(self, where: object, bits: int | None = None, most: float = SET_ANEW) -> None:
        self.where, self.bits, self.most = where, bits, most
        self._turns = self._count = self._back = 0
        self._last: NDArray | None = None
        self._furthest = 0.0

    def follow(self, time: NDArray) -> NDArray:
        """The next times, counted on.

        Raises:
            DlmError: an event goes back too far.
        """
        if not time.size:
            return time
        gaps = np.diff(time, prepend=time[:1] if self._last is None else self._last)
        self._last = time[-1:]
        if self.bits is not None:
            again = gaps < -(1 << self.bits - 1)
            turns = self._turns + np.cumsum(again)
            gaps = np.where(again, gaps + (1 << self.bits), gaps)
            time = time + (turns << self.bits)
            self._turns = int(turns[-1])
        self._back += int(np.count_nonzero(gaps < 0))
        self._furthest = max(self._furthest, -float(gaps.min()))
        if self._furthest > self.most:
            at = int(np.argmax(gaps < -self.most))
            which = f"{self.where}, event {self._count + at} comes {-gaps[at] * 1e-6:.3g} s before the one before it"
            raise DlmError(f"{which}: the clock was set anew, or it is damaged; cut the file there")
        self._count += time.size
        return time

    def tell(self) -> None:
        """A LossWarning where the clock began again, or events were out of order."""
        if self.bits is not None and self._turns:
            seconds = (1 << self.bits) * 1e-6
            again = f"its clock of {self.bits} bits ({seconds:.1f} s) begins again {self._turns} times; the times go on"
            warnings.warn(f"{self.where}: {again}", LossWarning, stacklevel=3)
        if self._back:
            order = f"{self._back} events come before the one before them, by {self._furthest * 1e-6:.3g} s at most"
            warnings.warn(f"{self.where}: {order}; in a raster they are in order", LossWarning, stacklevel=3)
