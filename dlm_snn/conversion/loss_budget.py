"""What a conversion to integers costs, layer by layer: the report that ``quantize`` returns beside the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dlm_snn.errors import how_many
from dlm_snn.runs.metrics import silence

LOUD = 0.05
"""Relative error of a decay or a bias beyond which the budget warns."""


@dataclass(frozen=True)
class ProjectionLoss:
    """What one projection's weights lost.

    Attributes:
        name: ``pre->post``.
        sign_mode: "mixed", "excitatory" or "inhibitory".
        weight_exp: exponent that the projection's sums are shifted by.
        scale: integer weight per float weight; w_int is near w * scale.
        clipped: weights beyond the largest integer weight.
        clip_loss: largest share of a weight that clipping took.
        rounding_rms: root mean square of the rounding error, as a share of the weights' own.
        odd: share of the weights whose nearest integer a fixed-point target would have floored (odd numbers when
            mixed; more with fewer bits); they were rounded to the nearest representable weight instead.
        zeroed: share of the nonzero weights that became zero.
        floor_loss: mean of what the floor of the shifted sum takes in a step, as a share of the threshold, or of the
            largest |v| of a population that never spikes; None if nothing is shifted out or nothing was measured.
    """

    name: str
    sign_mode: str
    weight_exp: int
    scale: float
    clipped: int
    clip_loss: float
    rounding_rms: float
    odd: float
    zeroed: float
    floor_loss: float | None


@dataclass(frozen=True)
class PopulationLoss:
    """What one population lost. Measured fields are None without calibration.

    Attributes:
        name: of the population.
        scale: integer per float unit of v_threshold.
        v_threshold: smallest integer threshold; None: it never spikes.
        threshold_error: largest relative error of the threshold; None: it never spikes.
        du, dv: smallest integer decays.
        du_error, dv_error: largest error of a decay, as a share of it: near enough that of its time constant.
        du_lost, dv_lost: neurons whose decay is not zero and became zero: they hold u (du = -1), or v.
        bias: largest magnitude of the integer bias.
        bias_error: largest error of the bias, as a share of the threshold, or of the largest bias without one.
        bias_lost: neurons whose bias is not zero and became zero.
        bias_off: others whose bias is off by more than LOUD of itself.
        rescaled: factor by which the weights were shrunk below their full range for headroom; 1: not at all.
        u_bound: largest |u| that any input could cause, as a share of the 24-bit range (1 is the wrap); None where u
            is held (du = -1) and only its measured range counts.
        u_peak, v_peak: largest |u| and |v| measured at the ends of steps, as shares of the 24-bit range.
        wraps, saturations: how often u wrapped and v saturated on the calibration data.
        spikes_float, spikes_integer: spikes per sample.
        lost, won: spikes per sample that only the float, or only the integer network sent.
        equal: share of the places (sample, step, neuron) with the same value.
        v_range: of a population that never spikes: largest less smallest v, in float units.
        v_error: root mean square of what v is off, as a share of ``v_range``.
    """

    name: str
    scale: float
    v_threshold: int | None
    threshold_error: float | None
    du: int
    dv: int
    du_error: float
    dv_error: float
    du_lost: int
    dv_lost: int
    bias: int
    bias_error: float
    bias_lost: int
    bias_off: int
    rescaled: float
    u_bound: float | None
    u_peak: float | None = None
    v_peak: float | None = None
    wraps: int | None = None
    saturations: int | None = None
    spikes_float: float | None = None
    spikes_integer: float | None = None
    lost: float | None = None
    won: float | None = None
    equal: float | None = None
    v_range: float | None = None
    v_error: float | None = None

    @property
    def spikes(self) -> bool:
        """Whether it is of a kind that spikes."""
        return self.v_threshold is not None

    @property
    def reference(self) -> str:
        """What errors of the bias are a share of."""
        return "the threshold" if self.spikes else "the largest bias"


@dataclass(frozen=True)
class QuantizationReport:
    """The loss budget of a conversion.

    Attributes:
        bits: bits of a weight.
        projections, populations: one row each.
        samples: calibration samples that the measured fields stand on; 0: none.
        accuracy: name -> accuracy, where labels were at hand ("float", "integer").
        unanswered: name -> share of the samples without an output spike, of the same.
    """

    bits: int
    projections: tuple[ProjectionLoss, ...]
    populations: tuple[PopulationLoss, ...]
    samples: int
    accuracy: Mapping[str, float]
    unanswered: Mapping[str, float] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """What a user should look at before trusting the integer network, one line each."""
        lines = []
        for p in self.populations:
            if p.wraps:
                lines.append(f"u of '{p.name}' wrapped {p.wraps} times on the calibration data")
            if p.saturations:
                lines.append(f"v of '{p.name}' saturated {p.saturations} times on the calibration data")
            if p.rescaled < 1:
                lines.append(f"weights into '{p.name}' use {p.rescaled:.2g} of their range, for headroom")
            if p.threshold_error is not None and p.threshold_error > 0.01:
                lines.append(f"the threshold of '{p.name}' is {p.v_threshold}: off by {p.threshold_error:.1%}")
            lines += [*_decays(p), *_biases(p), *_silences(p)]
        lines += [f"{q.zeroed:.0%} of the weights of {q.name} became zero" for q in self.projections if q.zeroed > 0.5]
        if not self.samples:
            lines.append("no calibration: the range of v and the spikes lost were not measured")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        plain = {"accuracy": dict(self.accuracy), "unanswered": dict(self.unanswered)}
        return {**asdict(self), **plain, "warnings": self.warnings}

    def __str__(self) -> str:
        lines = [f"{self.bits}-bit weights, measured on {how_many(self.samples, 'samples')}"]
        lines += [
            f"  {p.name}: {p.sign_mode}, weight_exp {p.weight_exp}, rounding {p.rounding_rms:.2%}, "
            f"clipped {p.clipped}, zeroed {p.zeroed:.1%}"
            for p in self.projections
        ]
        for q in self.populations:
            lines.append(
                f"  {q.name}: {_threshold(q)}du {q.du} (off {q.du_error:.2%}), dv {q.dv} (off {q.dv_error:.2%}), "
                f"bias {q.bias} (off {q.bias_error:.2%} of {q.reference}){_measured(q)}"
            )
        for name, value in self.accuracy.items():
            quiet = silence(self.unanswered.get(name, 0.0))
            lines.append(f"  {name} accuracy {value:.2%}" + (f" ({quiet})" if quiet else ""))
        return "\n".join(lines + [f"  warning: {line}" for line in self.warnings])


def _threshold(p: PopulationLoss) -> str:
    return f"threshold {p.v_threshold} (off {p.threshold_error:.2%}), " if p.spikes else "never spikes, "


def _measured(p: PopulationLoss) -> str:
    if p.equal is None:
        return ""
    v = f"|v| up to {p.v_peak:.1%} of 24 bits and off {p.v_error or 0:.2%} of its range"
    return f", {f'spikes equal {p.equal:.2%}' if p.spikes else v}, wraps {p.wraps}, saturations {p.saturations}"


def _decays(p: PopulationLoss) -> Iterator[str]:
    for name, became, error, lost in (
        ("du", "-1: u holds what it has", p.du_error, p.du_lost),
        ("dv", "0: v leaks nothing", p.dv_error, p.dv_lost),
    ):
        remedy = "decays are whole 1/4096 of a step; longer steps have larger ones"
        if lost:
            yield f"{name} of {how_many(lost, 'neurons')} of '{p.name}' became {became} ({remedy})"
        elif error > LOUD:
            yield f"{name} of '{p.name}' is off by {error:.1%} of itself ({remedy})"


def _biases(p: PopulationLoss) -> Iterator[str]:
    told = [
        f"{what} in {how_many(count, 'neurons')}"
        for count, what in ((p.bias_lost, "became 0"), (p.bias_off, f"is off by more than {LOUD:.0%} of itself"))
        if count
    ]
    if told:
        yield f"the bias of '{p.name}' {' and '.join(told)}: by {p.bias_error:.2g} of {p.reference} at most"


def _silences(p: PopulationLoss) -> Iterator[str]:
    never = f"'{p.name}' never spikes on the calibration data"
    if not p.spikes:
        return
    if p.spikes_float == p.spikes_integer == 0:
        yield never
    elif p.spikes_integer == 0:
        yield f"{never} in integers: of {p.spikes_float:.3g} spikes per sample in floats none is left"
    elif p.spikes_float == 0:
        yield f"{never} in floats, and {p.spikes_integer:.3g} times per sample in integers"
