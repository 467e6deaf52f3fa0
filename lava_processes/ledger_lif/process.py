"""Leaky integrate-and-fire neurons that keep the books of their energy while they run, for use as a library.

Dynamics of Lava's LIFReset in fixed_pt, spike for spike; CPU only.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from dlm_snn.neurons.integer_lif import STATE_LIMIT, decay, int32
from lava_processes.neurons.process import FixedNeurons, NeuronProcess, Value

TERMS = ("current", "bias", "leak", "reset", "clip", "stored", "residual")
"""Rows of ``books``: twice the energy brought in by u and by the bias, lost by the leak, by resets and by saturation,
stored, and the sum over steps and neurons of |what fails to close|, which is 0."""
LIMB = 32
"""Bits of the lower half of a total; both halves are exact in the float64 messages by which Lava reads a Var."""


class LedgerLIF(NeuronProcess):
    """Integer neurons with zero reset and a ledger that closes exactly: see ``dlm_snn.physics.membranes.ledger``.

    Args:
        du, reset_interval: u keeps nothing, and no reset, unless given.
        parameters: of NeuronProcess.
    """

    def __init__(self, *, du: Value = 4095, reset_interval: int = 2**30, **parameters: ty.Any) -> None:
        super().__init__(du=du, reset_interval=reset_interval, **parameters)
        self.books = Var(shape=(len(TERMS), 2), init=0)

    def totals(self) -> dict[str, int]:
        """The books so far, as whole numbers of any size; call it after a run, before ``stop``."""
        halves = self.books.get().astype(np.int64)
        return {name: (int(high) << LIMB) + int(low) for name, (high, low) in zip(TERMS, halves, strict=True)}


@implements(proc=LedgerLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyLedgerLIFFixed(FixedNeurons):
    """LedgerLIF in the integers of Loihi."""

    books: np.ndarray = LavaPyType(np.ndarray, np.int64)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self._sums = [0] * len(TERMS)
        self._integrated: tuple[np.ndarray, ...] = ()

    def subthr_dynamics(self, activation_in: np.ndarray) -> None:
        """Integrate, and keep what the ledger needs: v before, decayed, integrated and clipped."""
        begun = self.v.astype(np.int64)
        super().subthr_dynamics(activation_in)
        self._integrated = begun, decay(begun, self.dv), self.v.astype(np.int64)

    def run_spk(self) -> None:
        """One step, and its entry in the books."""
        before = self.v.astype(np.int64)
        super().run_spk()
        self._enter(before)

    def _enter(self, before: np.ndarray) -> None:
        begun, decayed, clipped = self._integrated
        u, bias = self.u.astype(np.int64), np.broadcast_to(self.effective_bias, before.shape).astype(np.int64)
        after, arrived = self.v.astype(np.int64), u + bias
        lifted = decayed + arrived
        limited = np.clip(int32(lifted), 1 - STATE_LIMIT, STATE_LIMIT - 1)
        gained = [x * (2 * decayed + arrived) for x in (u, bias)]
        lost = [begun**2 - decayed**2, before**2 - begun**2 + clipped**2 - after**2, lifted**2 - limited**2]
        stored = after**2 - before**2
        residual = np.abs(stored - (sum(gained) - sum(lost)))
        for i, term in enumerate((*gained, *lost, stored, residual)):
            # In two halves: a sum over many neurons may pass 64 bits.
            self._sums[i] += (int((term >> LIMB).sum()) << LIMB) + int((term & (2**LIMB - 1)).sum())
            self.books[i] = self._sums[i] >> LIMB, self._sums[i] & (2**LIMB - 1)
