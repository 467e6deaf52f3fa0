"""Columns of competing spiking neurons behind a spiking rank code: learns in one pass, without boundaries or replay.

What it is, said openly: nearest-prototype learning of each class apart. That, with a sparse code, is why it forgets
nothing; it works where classes are compact in the space of the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Sparse
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError, nearest
from dlm_snn.learning.batches import checked_classes, checked_features
from dlm_snn.learning.columns import _compiled as compiled
from dlm_snn.learning.columns._front_end_compiled import rank_codes, rank_codes_of_events
from dlm_snn.learning.columns.edges import SMALL
from dlm_snn.learning.columns.front_end import DECIDE, HOLDS, FrontEnd, from_clock, front_end_parts, join
from dlm_snn.learning.columns.options import COLUMNS, nearest_multiple
from dlm_snn.learning.columns.rule import ColumnRule, Columns
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.learning.making import typed_options
from dlm_snn.networks.network import IntegerNetwork, IntegerProjection
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import slices

BLOCK = 1000
"""Samples encoded together."""
DECISION = 255 << 7
"""What the clock adds to every v where the largest is to spike, and the threshold."""
Samples = NDArray[np.uint8] | SpikeRaster
"""Images (sample, pixel), or recordings."""


@dataclass(frozen=True)
class Form:
    """A front end and its columns, as measured on held-out training images.

    Attributes:
        front_end, rule: the constants.

    Raises:
        DlmError: the largest v spikes, and |w| |x| is beyond the threshold before the code is complete, or beyond the
            accumulator when the decision comes; |w| = max(gain |x|, sqrt(gain 2^shift)).
    """

    front_end: FrontEnd
    rule: ColumnRule

    def __post_init__(self) -> None:
        rule, front_end = self.rule, self.front_end
        before, whole = front_end.squared_length_of(front_end.levels - 1), front_end.squared_length
        weight = max(rule.gain**2 * whole, rule.gain << rule.shift)
        early, late = weight * before > DECISION**2, weight * whole > (2**17 - 1 - DECISION) ** 2
        if rule.winner == "largest" and (early or late):
            raise DlmError(
                f"gain = {rule.gain}, shift = {rule.shift} of the columns: v of a match is about "
                f"{round((weight * whole) ** 0.5)}, too much for a decision that adds {DECISION}; "
                "give a lower gain, or shift"
            )


_RANK = ColumnRule(winner="largest", novelty=30474)
FORMS: dict[str, Form] = {
    "evidence": Form(FrontEnd(), ColumnRule(evidence=6)),
    "ramp": Form(FrontEnd(), ColumnRule()),
    "short16": Form(FrontEnd(form="rank"), replace(_RANK, gain=15)),
    "short8": Form(
        FrontEnd(form="rank", pixel_steps=2, edge_threshold=10, levels=2),
        replace(_RANK, gain=23, shift=14, novelty=15237),
    ),
    "plain": Form(FrontEnd(competition=False, inhibition_delay=1, edge_threshold=40), ColumnRule()),
    "camera": Form(
        FrontEnd(shape=(2, 34, 34), form="rank", pixel_steps=310, leak=40, inhibition_delay=1, active=480),
        replace(_RANK, gain=10, novelty=31942),
    ),
    "pixels": Form(
        FrontEnd(form="rank", directions=None, window=3, stride=1, padding=1, active=200), replace(_RANK, gain=23)
    ),
}


def make_columns(setting: Setting, rng: np.random.Generator, **options: Any) -> ColumnLearner:
    """The learner ``columns``.

    Args:
        setting: images of one channel or three, or recordings for the form "camera".
        rng: not used; nothing here is drawn.
        options: ``form`` ("evidence", "ramp", "short16", "short8", "plain", "pixels", "camera"), ``neurons`` of all
            columns together, ``kept`` (the control that keeps its first samples and learns nothing), and any constant
            of FrontEnd and ColumnRule that neither the setting nor the form decides.

    Raises:
        DlmError: an unknown option, or a value that does not fit.
    """
    options = typed_options("columns", options, COLUMNS)
    return ColumnLearner(chosen_form(setting, options), kept=options.get("kept", False))


def chosen_form(setting: Setting, options: Mapping[str, Any]) -> Form:
    """The constants that a setting and options make.

    A code that is changed changes the gain, so that learned weights keep their length, unless that is given too.

    Args:
        setting: of the samples.
        options: of the types of ``column_options``; those that name no constant are not looked at.

    Raises:
        DlmError: see ``make``.
    """
    of_chain, of_rule = ({f.name for f in fields(kind)} - _FIXED for kind in (FrontEnd, ColumnRule))
    name = options.get("form", "evidence")
    if name not in FORMS:
        raise DlmError(f"columns have no form {name!r}; {nearest(name, FORMS)}")
    neurons = options.get("neurons", 5000)
    if neurons < 1 or neurons % setting.n_classes:
        near = nearest_multiple(neurons, setting.n_classes)
        raise DlmError(
            f"neurons = {neurons} of the columns; give a multiple of the {setting.n_classes} classes, such as {near}"
        )
    front_end = _adapted(FORMS[name].front_end, setting, {key: options[key] for key in of_chain & options.keys()})
    rule = replace(FORMS[name].rule, n_columns=setting.n_classes, per_column=neurons // setting.n_classes)
    rule = replace(rule, gain=_gain(FORMS[name], front_end, options.get("shift", rule.shift)))
    return Form(front_end, replace(rule, **{key: options[key] for key in of_rule & options.keys()}))


def _gain(form: Form, front_end: FrontEnd, shift: int) -> int:
    """The gain for which gain |x|^2 / 2^shift stays what it is in the form."""
    share = form.rule.gain * form.front_end.squared_length / 2**form.rule.shift
    return max(1, round(share * 2**shift / front_end.squared_length))


_FIXED = {"shape", "scale", "form", "n_columns", "per_column", "winner"}
"""What the setting or the form decides."""


def _adapted(front_end: FrontEnd, setting: Setting, options: Mapping[str, Any]) -> FrontEnd:
    """The front end for other images or options: thresholds by scale, small windows where images are small, the same
    share of active pools."""
    if len(setting.shape) != 3 or setting.shape[0] not in ((2,) if front_end.is_camera else (1, 3)):
        kind = "recordings of two polarities" if front_end.is_camera else "images of one channel or three"
        raise DlmError(f"columns of this form take {kind}; these samples have the shape {setting.shape}")
    changes: dict[str, Any] = {"shape": setting.shape, "scale": setting.scale}
    share = front_end.pixel_threshold / (front_end.shape[0] * front_end.scale)
    changes["pixel_threshold"] = max(1, round(share * setting.shape[0] * setting.scale))
    if min(setting.shape[1:]) < SMALL:
        changes |= {"window": 3, "stride": 1}
    changes |= options
    if "active" not in options:
        bare = replace(front_end, **changes, active=changes.get("levels", front_end.levels))
        per_level = max(1, round(front_end.active / front_end.n_codes * bare.n_codes / bare.levels))
        changes["active"] = per_level * bare.levels
    return replace(front_end, **changes)


@dataclass
class Ties:
    """Counts of samples and of ties (``rule``) among them, of all calls so far.

    Attributes:
        taught, training: samples learned, and ties while learning.
        asked, test, between: samples answered, ties of the first spike among them, and of several columns that answer.
    """

    taught: int = 0
    training: int = 0
    asked: int = 0
    test: int = 0
    between: int = 0

    def shares(self) -> dict[str, float]:
        """Of all samples learned or answered; what there was none of is left out."""
        shares = {"training": self.training / self.taught} if self.taught else {}
        if self.asked:
            shares |= {"test": self.test / self.asked, "test_between_classes": self.between / self.asked}
        return {name: round(share, 5) for name, share in shares.items()}


class ColumnLearner:
    """The learner ``columns``; see ``make``.

    Attributes:
        form: the constants; front_end, rule: its parts.
        columns: what has been learned.
        levels: steps in which a code reaches the columns.
        n_steps: steps of a sample's window, at most.
    """

    def __init__(self, form: Form, kept: bool = False) -> None:
        self.form, self.front_end, self.rule, self.kept = form, form.front_end, form.rule, kept
        self.levels = self.front_end.levels
        self.n_steps = self.front_end.last_level + self.rule.n_steps
        self.columns = Columns.fresh(self.rule, self.front_end.n_codes)
        self.declaration = Declaration(
            front_end=_named(self.front_end),
            normalization="rank code, spikes",
            winner=f"spikes{', summed up' if self.rule.evidence > 1 else ''}, ties by the lower index",
            stored_samples=self.rule.n if kept else 0,
        )
        self._spikes: dict[str, int] = {}
        self._samples = 0
        self._ties = Ties()

    @property
    def takes_recordings(self) -> bool:
        """Whether samples are recordings of a camera, not images."""
        return self.front_end.is_camera

    def observe(self, x: Samples, y: NDArray[np.int64]) -> None:
        """Learn from samples, images (sample, pixel) or recordings, and their classes, one after another."""
        x, y = self.taught(x, y)
        for part in slices(len(y), BLOCK):
            codes, spikes = self.codes(x[part])
            self._samples += len(codes)
            for stage, count in spikes.items():
                self._spikes[stage] = self._spikes.get(stage, 0) + count
            if self.kept:
                keep(self.rule, self.columns, codes, y[part])
            else:
                self._ties.taught += len(codes)
                self._ties.training += compiled.observe(self.rule, self.columns, codes, y[part], self.levels)

    def predict(self, x: Samples) -> NDArray[np.int64]:
        """The class that answers first, of each sample; -1 where none does. Ties are counted from call to call."""
        x = self.asked(x)
        answers = [np.zeros(0, dtype=np.int64)]
        for part in slices(x.n_samples if isinstance(x, SpikeRaster) else len(x), BLOCK):
            codes, _ = self.codes(x[part])
            found, (ties, between) = compiled.predict(self.rule, self.columns, codes, self.levels)
            answers.append(found)
            self._ties.asked += len(codes)
            self._ties.test += ties
            self._ties.between += between
        return np.concatenate(answers)

    def taught(self, x: Any, y: Any) -> tuple[Samples, NDArray[np.int64]]:
        """Samples and their classes, checked.

        Raises:
            DlmError: see ``batches.checked_samples``; images for recordings, or recordings for images.
        """
        samples = self.asked(x)
        n_samples = samples.n_samples if isinstance(samples, SpikeRaster) else len(samples)
        return samples, checked_classes(y, n_samples, self.rule.n_columns)

    def asked(self, x: Any) -> Samples:
        """Samples to be classified, checked likewise."""
        if isinstance(x, SpikeRaster) != self.takes_recordings:
            wanted, given = (
                ("recordings (a SpikeRaster)", "images") if self.takes_recordings else ("images", "recordings")
            )
            raise DlmError(f"columns of this form take {wanted}, not {given}; the form 'camera' is for recordings")
        if isinstance(x, SpikeRaster):
            return x
        return checked_features(x, self.front_end.n_inputs, self.front_end.scale)

    def codes(self, x: Samples) -> tuple[NDArray[np.uint8], dict[str, int]]:
        """The rank codes of samples (sample, code), and the spikes of each stage."""
        return rank_codes_of_events(self.front_end, x) if isinstance(x, SpikeRaster) else rank_codes(self.front_end, x)

    def stimulus(self, x: Samples) -> dict[str, NDArray]:
        """What a run of the frozen network takes, for ``n_steps`` steps."""
        return self.front_end.stimulus(x, self.n_steps)

    def freeze(self) -> IntegerNetwork:
        """All of it, from pixels to one spike of ten neurons, as one integer network without plasticity."""
        return frozen(self.front_end, self.rule, self.columns)

    def info(self) -> Mapping[str, Any]:
        """Neurons, synapses, spikes of each stage of a training sample, steps of a sample at most, shares of ties."""
        used = int(np.count_nonzero(self.columns.wins))
        spikes = {stage: round(count / max(self._samples, 1), 1) for stage, count in self._spikes.items() if count}
        found: dict[str, Any] = {"neurons": used, "synapses": used * self.front_end.n_codes, "spikes": spikes}
        return {**found, "steps": self.n_steps, "ties": self._ties.shares()}


def keep(rule: ColumnRule, columns: Columns, codes: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    """The control without learning: the first samples of each class are kept as weights, in place."""
    for column in np.unique(labels):
        used = columns.used(column)
        first = codes[labels == column][: rule.per_column - used]
        columns.weight[column, :, used : used + len(first)] = np.minimum(rule.gain * first.T.astype(np.int64), 255)
        columns.wins[column, used : used + len(first)] = 1


def _named(front_end: FrontEnd) -> str:
    colors = "sums of colours, " if front_end.shape[0] == 3 else ""
    if front_end.directions is None:
        return f"{colors}pixels, {front_end.window}x{front_end.window} sums, spikes"
    kind = "k-WTA and inhibition" if front_end.competition else "inhibition alone"
    return f"{colors}{front_end.directions} edge directions, {kind}, spikes"


def frozen(front_end: FrontEnd, rule: ColumnRule, columns: Columns) -> IntegerNetwork:
    """A front end and its columns as a network: populations of the front end, then "columns" and "output".

    Args:
        front_end, rule: the constants.
        columns: what has been learned; fresh neurons have no weights and never spike.
    """
    populations, projections = front_end_parts(front_end)
    weight = columns.weight.transpose(0, 2, 1).reshape(rule.n, front_end.n_codes).astype(np.int64)
    projections.append(join("holders", "columns", Dense(weight)))
    if rule.winner == "ramp":
        populations["columns"] = IntegerLIF((rule.n,), dv=0, v_threshold=rule.threshold)
        slope = Dense(np.full((rule.n, 1), rule.ramp >> 1))
        projections += [join("ramp", "columns", slope, weight_exp=1), *_ramp_end(front_end.levels, rule.ramp_steps)]
    else:
        populations["columns"] = IntegerLIF((rule.n,), dv=0, v_threshold=DECISION, winners=1)
        projections.append(from_clock(DECIDE, "columns", rule.n, 255, weight_exp=7))
    populations["output"], onward = output_neurons(rule)
    return IntegerNetwork(populations, [*projections, *onward])


def _ramp_end(counters: int, ramp_steps: int) -> list[IntegerProjection]:
    """What lets the ramp spike ``ramp_steps`` times: its u begins with so much, and every spike takes one of it.

    One comes from the last counter already; the rest in weights of 8 bits.
    """
    found = [join("ramp", "ramp", Dense(np.array([[-1]])))]
    rest = ramp_steps - 1
    while rest:
        exponent = min(7, max(0, rest.bit_length() - 8))
        weight = min(255, rest >> exponent)
        rest -= weight << exponent
        last = np.eye(counters, dtype=np.int64)[-1:]
        found.append(join("counters", "ramp", Dense(weight * last), weight_exp=exponent))
    return found


def output_neurons(rule: ColumnRule) -> tuple[IntegerLIF, list[IntegerProjection]]:
    """The population "output", a neuron a column, and what reaches it: "columns", and its own silence.

    u = u + spikes of the column, v = v + u; a spike at v >= evidence takes more from every u than its column can add.
    """
    members = np.arange(rule.n)
    of_column = Sparse((rule.n_columns, rule.n), members // rule.per_column, members, np.ones(rule.n, dtype=np.int64))
    silence = Dense(np.full((rule.n_columns, rule.n_columns), -255))
    exponent = min(7, (rule.per_column // 255).bit_length())
    return IntegerLIF((rule.n_columns,), du=HOLDS, dv=0, v_threshold=rule.evidence - 1), [
        join("columns", "output", of_column),
        join("output", "output", silence, weight_exp=exponent),
    ]
