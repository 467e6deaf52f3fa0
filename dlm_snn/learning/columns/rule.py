"""Columns of competing neurons, one column a class: their rule, step by step, in integers.

This is the model that all others answer to: the compiled form and the Lava Processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError

WEIGHT_LIMIT = 255
"""Weights are excitatory, of 8 bits."""
CLOSED = -(2**17)
"""v of a neuron that the teacher holds down: further from any threshold than the ramp lifts it."""
NONE = -1


@dataclass(frozen=True)
class ColumnRule:
    """Constants of the columns.

    A neuron integrates, v = w . x, without leak. "ramp": after the code every neuron gets ``ramp`` a step, and whoever
    crosses ``threshold`` first wins (equal steps: the lower index); y = what its own spike time tells of v. "largest":
    after the code the neuron with the largest v spikes (equal v: the lower index), y = v.

    A tie is a sample whose first spike several trained neurons share: they spike in that step, or have that v. A fresh
    neuron, which spikes where no trained one does, is alone.

    Answering: a column has an output neuron, u = u + spikes of the column, v = v + u, which spikes at v >= evidence and
    silences all of them. So the class answers whose spikes, counted with the steps since, sum up to ``evidence``
    first: with 1 that of the first spike, with more that of several early ones. Where several output neurons spike in
    one step, the lowest answers.

    Learning, at the winner only, of the column that the teacher opened:  w = w + 2^-s (gain x - 2^-shift y w), rounded
    to the nearest, s = min(slowest, floor(log2 wins)). If no neuron matches (novelty), a fresh one spikes and takes
    w = gain x.

    Attributes:
        n_columns, per_column: classes, and neurons of each.
        winner: "ramp" or "largest".
        threshold, ramp, ramp_steps: of the ramp; it ends after ``ramp_steps``.
        novelty: "ramp": a fresh neuron spikes at this step of the ramp where nobody has; "largest": where no v
            reaches this.
        gain, shift, slowest: of the rule; gain |x|^2 is about 2^shift, so that a learned weight keeps its length.
        evidence: v at which an output neuron spikes; "largest" has one spike, and so 1.

    Raises:
        DlmError: constants out of range.
    """

    n_columns: int = 10
    per_column: int = 200
    winner: str = "ramp"
    threshold: int = 34734
    ramp: int = 256
    ramp_steps: int = 85
    novelty: int = 14
    gain: int = 14
    shift: int = 15
    slowest: int = 4
    evidence: int = 1

    def __post_init__(self) -> None:
        if self.winner not in ("ramp", "largest"):
            raise DlmError(f"winner = {self.winner!r} is neither 'ramp' nor 'largest'")
        for name in ("n_columns", "per_column", "threshold", "ramp", "ramp_steps", "gain", "shift", "evidence"):
            if getattr(self, name) < 1:
                raise DlmError(f"{name} = {getattr(self, name)} of the columns; it is 1 at least")
        if self.ramp % 2 or self.ramp > 2 * WEIGHT_LIMIT:
            raise DlmError(
                f"ramp = {self.ramp} of the columns; it is an even number up to {2 * WEIGHT_LIMIT}, a weight of 8 bits "
                "shifted by one"
            )
        if self.winner == "ramp" and self.ramp * self.ramp_steps > self.threshold:
            raise DlmError(
                f"ramp = {self.ramp}, ramp_steps = {self.ramp_steps}: together they lift a neuron that has learned "
                f"nothing over threshold = {self.threshold}; give fewer steps, or a higher threshold"
            )
        if self.winner == "ramp" and not 1 <= self.novelty <= self.ramp_steps:
            raise DlmError(
                f"novelty = {self.novelty} is no step of the ramp of ramp_steps = {self.ramp_steps}; give 1 to as many"
            )
        if self.winner == "largest" and self.evidence > 1:
            raise DlmError(
                f"evidence = {self.evidence} of columns whose largest v spikes alone; give 1, or a form with a ramp"
            )
        if self.threshold >= 2**17:
            raise DlmError(f"threshold = {self.threshold} of the columns is above the 17 bits of a target")

    @property
    def n(self) -> int:
        """Neurons of all columns."""
        return self.n_columns * self.per_column

    @property
    def n_steps(self) -> int:
        """From the last step of the code on, until an output neuron has spiked, at the latest."""
        return self.ramp_steps + self.evidence - 1 if self.winner == "ramp" else 1

    @property
    def early(self) -> int:
        """y of a neuron that spikes before the ramp."""
        return self.threshold + self.ramp // 2


@dataclass(eq=False)
class Columns:
    """What the columns have learned; changed in place.

    Attributes:
        weight: (column, code, neuron) uint8.
        wins: (column, neuron), how often a neuron has won; 0: fresh.
    """

    weight: NDArray[np.uint8]
    wins: NDArray[np.int64]

    @classmethod
    def fresh(cls, rule: ColumnRule, n_codes: int) -> Columns:
        """Columns that have learned nothing."""
        shape = rule.n_columns, n_codes, rule.per_column
        return cls(np.zeros(shape, dtype=np.uint8), np.zeros((rule.n_columns, rule.per_column), dtype=np.int64))

    def used(self, column: int) -> int:
        """Neurons of a column that have learned; they are the first ones."""
        return int(np.count_nonzero(self.wins[column]))


class Answer(NamedTuple):
    """The first spike of the columns: whose, when and what it tells.

    Attributes:
        column, neuron: of the winner; -1: nobody spiked. Of a test the column whose output neuron spiked first.
        step: in which the winner spiked.
        y: v, as its spike tells it.
        fresh: it is a fresh neuron, which spikes because nobody matched.
        tied: others share the spike; while learning the lower index decides.
        between: several output neurons spiked in the same step, or neurons of several columns had the largest v.
    """

    column: int
    neuron: int
    step: int
    y: int
    fresh: bool = False
    tied: bool = False
    between: bool = False


SILENCE = Answer(NONE, NONE, NONE, 0)
NOBODY: NDArray[np.int64] = np.zeros(0, dtype=np.int64)


@dataclass(eq=False)
class Race:
    """The columns during one sample; changed in place.

    Attributes:
        opened: the column that the teacher opened, which may recruit; None: all answer, none recruits.
        v: (column, neuron), without what the ramp lifts.
        x: (code,), spikes of each holder so far.
        steps, ramped: steps so far, and those of the ramp, or of the decision.
        answer: the first spike, once there was one.
    """

    opened: int | None
    v: NDArray[np.int64]
    x: NDArray[np.int64]
    steps: int = 0
    ramped: int = 0
    answer: Answer = SILENCE

    @classmethod
    def begin(cls, columns: Columns, opened: int | None) -> Race:
        """At rest; the teacher holds all columns down but the one that it opened."""
        v = np.zeros(columns.wins.shape, dtype=np.int64)
        if opened is not None:
            v[np.arange(len(v)) != opened] = CLOSED
        return cls(opened, v, np.zeros(columns.weight.shape[1], dtype=np.int64))


@dataclass(eq=False)
class Evidence:
    """The output neurons during one sample, one a column; changed in place.

    Attributes:
        u, v: (column,).
    """

    u: NDArray[np.int64]
    v: NDArray[np.int64]

    @classmethod
    def none(cls, rule: ColumnRule) -> Evidence:
        """At rest."""
        return cls(*np.zeros((2, rule.n_columns), dtype=np.int64))

    def add(self, rule: ColumnRule, spikes: NDArray[np.int64]) -> NDArray[np.int64]:
        """One step, u = u + spikes of the column, v = v + u; the output neurons that spike.

        Args:
            rule: the constants.
            spikes: the neurons of all columns, numbered through, that spike in this step.
        """
        self.u += np.bincount(spikes // rule.per_column, minlength=rule.n_columns)
        self.v += self.u
        return np.flatnonzero(self.v >= rule.evidence)


def advance(rule: ColumnRule, columns: Columns, race: Race, code: NDArray[np.bool_], lifted: bool) -> NDArray[np.int64]:
    """One step of the columns, in place.

    While learning one neuron spikes, which silences its column; in a test every neuron that crosses does, from rest on
    again.

    Args:
        rule: the constants.
        columns: what has been learned.
        race: so far; the first spike stands in ``race.answer``.
        code: (code,), the holders that spike.
        lifted: the ramp's neuron spikes, or the clock asks for a decision.

    Returns:
        the neurons of all columns, numbered through, that spike in this step.
    """
    step = race.steps
    race.steps += 1
    alone = race.opened is not None or rule.winner == "largest"
    if race.ramped >= rule.ramp_steps or (alone and race.answer is not SILENCE):
        return NOBODY
    _integrate(columns, race, code)
    race.ramped += lifted
    spiking, y = _crossing(rule, columns, race)
    if spiking.size:
        race.v.reshape(-1)[spiking] = -rule.ramp * race.ramped
    found = _first(rule, spiking, y, step)
    if not spiking.size and lifted:
        found = _recruited(rule, columns, race, step)
    if race.answer is SILENCE:
        race.answer = found
    if alone and found is not SILENCE:
        return np.array([found.column * rule.per_column + found.neuron])
    return spiking


def _integrate(columns: Columns, race: Race, code: NDArray[np.bool_]) -> None:
    """v = v + sum of the weights of the synapses of holders that spike."""
    spiking = np.flatnonzero(code)
    race.x[spiking] += 1
    if not spiking.size:
        return
    answering = slice(None) if race.opened is None else slice(race.opened, race.opened + 1)
    race.v[answering] += columns.weight[answering, spiking].sum(axis=1, dtype=np.int64)


def _crossing(rule: ColumnRule, columns: Columns, race: Race) -> tuple[NDArray[np.int64], int]:
    """The trained neurons that cross in this step, or that have the largest v; and y."""
    if rule.winner == "largest":
        y = int(race.v.max())
        matches = y > 0 and (y >= rule.novelty or not _has_fresh(columns, race.opened))
        return np.flatnonzero(race.v == y) if race.ramped and matches else NOBODY, y
    y = rule.early - rule.ramp * race.ramped
    return np.flatnonzero((columns.wins > 0) & (race.v + rule.ramp * race.ramped > rule.threshold)), y


def _first(rule: ColumnRule, spiking: NDArray[np.int64], y: int, step: int) -> Answer:
    """The spike of the lowest of the neurons that spike."""
    if not spiking.size:
        return SILENCE
    column, neuron = divmod(int(spiking[0]), rule.per_column)
    between = bool(spiking[-1] // rule.per_column > column)
    return Answer(column, neuron, step, y, tied=spiking.size > 1, between=between)


def _recruited(rule: ColumnRule, columns: Columns, race: Race, step: int) -> Answer:
    """The fresh neuron that spikes where no trained one matches."""
    if race.opened is None or not _has_fresh(columns, race.opened):
        return SILENCE
    if rule.winner == "ramp" and race.ramped != rule.novelty:
        return SILENCE
    return Answer(race.opened, columns.used(race.opened), step, 0, fresh=True)


def _has_fresh(columns: Columns, opened: int | None) -> bool:
    return opened is not None and columns.used(opened) < columns.wins.shape[1]


def run_sample(
    rule: ColumnRule, columns: Columns, code: NDArray[np.bool_], lifted: NDArray[np.bool_], opened: int | None
) -> Answer:
    """Run the columns on one sample, and learn where a column is opened.

    Args:
        rule, columns: the constants, and what has been learned; it is changed in place.
        code: (step, code), spikes of the holders.
        lifted: (step,), spikes of the ramp's neuron, or of the clock.
        opened: the column that the teacher opened; None: a test.

    Returns:
        the first spike; of a test its column is the one that answers.
    """
    race, evidence = Race.begin(columns, opened), Evidence.none(rule)
    answering = NOBODY
    for step in range(len(code)):
        spiking = advance(rule, columns, race, code[step], bool(lifted[step]))
        if opened is None:
            answering = evidence.add(rule, spiking)
        if answering.size or (opened is not None and spiking.size):
            break
    if opened is not None:
        learn(rule, columns, race.x, race.answer)
        return race.answer
    column = int(answering[0]) if answering.size else NONE
    between = race.answer.between if rule.winner == "largest" else answering.size > 1
    return race.answer._replace(column=column, between=between)


def learn(rule: ColumnRule, columns: Columns, x: NDArray[np.int64], found: Answer) -> None:
    """Change the winner's synapses, in place; nothing where nobody spiked.

    Args:
        rule, columns: the constants, and what has been learned.
        x: (code,), spikes of the holders up to the winner's.
        found: the winner.
    """
    if found.column == NONE:
        return
    columns.wins[found.column, found.neuron] += 1
    if found.fresh:
        columns.weight[found.column, :, found.neuron] = np.minimum(rule.gain * x, WEIGHT_LIMIT)
        return
    s = min(rule.slowest, int(columns.wins[found.column, found.neuron]).bit_length() - 1)
    w = columns.weight[found.column, :, found.neuron].astype(np.int64)
    change = ((rule.gain * x) << rule.shift) - found.y * w
    half = 1 << (rule.shift + s - 1)
    w += (change + half) >> (rule.shift + s)
    columns.weight[found.column, :, found.neuron] = np.clip(w, 0, WEIGHT_LIMIT)
