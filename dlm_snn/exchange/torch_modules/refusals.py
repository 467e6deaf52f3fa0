"""Why a torch module does not come in, and what to change: every refusal as data, which the documents list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlm_snn.errors import DlmError, UnsupportedError


@dataclass(frozen=True)
class Refusal:
    """One reason why a module is refused.

    Attributes:
        why: what the module does that no network does, in words; fields in braces are filled in where it is raised.
        remedy: what to change in the module, or in the call.
    """

    why: str
    remedy: str


class RefusedError(UnsupportedError):
    """A module that is not taken: one line with the layer, the reason and the remedy.

    Attributes:
        refusal, values: the reason, whatever layer it met, and what filled it in.
    """

    def __init__(self, refusal: Refusal, where: str, **values: Any) -> None:
        # The line begins with the layer; what an error inside says need not name it again.
        told = {name: _without(where, " ".join(str(value).split())) for name, value in values.items()}
        why, remedy = refusal.why.format(**told), refusal.remedy.format(**told)
        super().__init__("a Network", f"{where}: {why}", remedy)
        self.args = (f"{where}: {why}; {remedy}",)
        self.refusal, self.values = refusal, values


def _without(where: str, text: str) -> str:
    return text.removeprefix(f"{where}: ").replace(f" of {where}", "")


LAZY = Refusal(
    "its lazy parts ({names}) have no parameters yet", "run the module once, on a sample, before it is imported"
)
NOT_A_MODULE = Refusal("a {kind} is no torch module", "give an nn.Module")
SCRIPTED = Refusal("a scripted or traced module hides its Python", "give the module that was scripted")
NO_COPY = Refusal("it cannot be copied ({error})", "keep what cannot be copied outside the module")
INFERENCE = Refusal(
    "forward runs in torch.inference_mode, in which a tensor that is changed in place leaves no trace",
    "use torch.no_grad",
)
FAILS = Refusal("its forward fails on the sample ({error})", "mend it, or give the sample that it takes, or call=")
NO_NEURON = Refusal(
    "no neuron of a known library was called",
    "use neurons of snnTorch or another known one, or neurons={{Class: reader}}",
)
UNKNOWN_NEURON = Refusal(
    "{kind} has no equal", "use one of {known}, or tell what equals it by neurons={{{kind}: reader}}"
)
READER = Refusal("its reader fails ({error})", "mend what neurons= gives for {kind}")
NO_FOREIGN = Refusal(
    "its reader gives {found}", "give a ForeignNeuron whose population has the shape {shape}, which the reader is told"
)
PATCHED = Refusal("it carries a forward of its own", "put that into a class, and name it by neurons={{Class: reader}}")
HOOKED = Refusal(
    "it carries a hook, which may change what it computes",
    "remove a hook that only looks for the time of the import; put what changes values into a class",
)
EMPTY = Refusal("it has the shape {shape}, so no values", "give 2 samples or more, of 3 steps or more")
NOT_VALUES = Refusal(
    "what enters the first weights or neuron {found}",
    "give finite numbers in dense tensors, and let forward make such of every sample",
)
NO_READERS = Refusal("neurons= {found}", "give {{Class: reader}}, with classes of nn.Module and functions, or a Table")
UNBATCHED = Refusal("it gets one sample, or no sample axis", "give 2 samples or more, so that their axis can be told")
UNBATCHED_CALL = Refusal(
    "{name} gets {axes} axes, so its first are channels and not samples",
    "give it (sample, channel, ...), of 2 samples or more",
)
NO_NEURONS = Refusal(
    "it gets one value a sample, without an axis of neurons", "keep that axis: no squeeze, or unsqueeze(1) behind it"
)
UNSEEN_NEURON = Refusal(
    "this neuron is no part of the module: it stands in a plain list or dictionary, or is made in forward",
    "make it in __init__, and keep several in nn.ModuleList or nn.ModuleDict",
)
FEW_STEPS = Refusal(
    "it was called {calls} times",
    "loop over at least 3 steps in forward, for a sample that has as many, or give call= with that loop",
)
ANEW = Refusal("its state begins anew at each of its {calls} calls", "make the state once, before the loop over time")
RESTARTED = Refusal("its state begins anew at call {call} of {calls}", "make the state once, before the loop over time")
NOT_FINITE = Refusal(
    "the weights or constants that feed it make NaN or infinity{names}",
    "give finite parameters",
)
UNEVEN = Refusal(
    "it makes {calls} steps where others make {steps}",
    "call each neuron once a step; give a neuron that stands for two layers two states",
)
FOREIGN_STATE = Refusal(
    "the state given at call {call} is not what it returned one call before ({found})",
    "pass on the returned state as it is",
)
HALF_A_STATE = Refusal(
    "one of its states is passed on and another is not", "pass on all that a call takes{spikes}, or none"
)
NOT_AT_REST = Refusal(
    "it starts from a state that is not at rest",
    "begin the state anew in forward (None, zeros or the neuron's own initial state): one that the module keeps goes "
    "on where its last call ended",
)
CHANGED = Refusal("its {what} is changed between two calls", "leave parameters and states alone during forward")
STRANGER = Refusal(
    "its input comes from nowhere: neither from the sample nor from a layer",
    "compute it in torch, without numpy, compiled functions or values kept from elsewhere",
)
NOT_SPIKES = Refusal("its spikes are not 0 and 1", "scale spikes in the weights that follow")
LOOKS = Refusal(
    "forward looks at values ({name}), so that it may take another way for another sample",
    "take that look out; where it is for a log, or the same for all samples, allow it by branches=True and prove it on "
    "a check=",
)
NOISE = Refusal(
    "{name} draws random numbers",
    "draw them outside and give them as the sample, or allow what is drawn before the first layer by outside=True",
)
DROPOUT = Refusal("{name} drops values in eval mode too", "pass training=self.training, or use nn.Dropout")
UNSTEADY = Refusal(
    "two runs on one sample differ ({what})", "make forward depend on its sample alone: no random numbers, no counters"
)
FUNCTION = Refusal("it is fed by what {name} makes of a layer", "use linear functions between neurons")
MIXED = Refusal(
    "{name} moves values from one sample or step to another, or takes all steps at once",
    "compute step after step: put every layer inside the loop over time, and leave the sample axis where it is",
)
ROUNDED = Refusal("{name} rounds what a layer makes", "divide by / or multiply, without rounding")
NARROWED = Refusal(
    "{name} rounds what a layer makes to a float of fewer bits than float32", "keep float32, or cast spikes alone"
)
ALL_AT_ONCE = Refusal(
    "{name} takes apart what {layer} made of all steps (or samples) together, which no step makes by itself",
    "compute it inside the loop over time, of the (sample, ...) of one step",
)
OVER_SAMPLES = Refusal(
    "{name} runs over the first axis, so that samples (or steps) depend on each other",
    "leave the axes of samples and steps as they are, and compute over the others",
)
PRODUCT = Refusal("{name} multiplies or divides by what depends on the sample", "multiply spikes by constants only")
COMPUTED_WEIGHTS = Refusal("{name} has weights that depend on the sample", "use weights that are parameters")
NOT_LINEAR = Refusal("{name} is not linear here", "use Linear, Conv2d or AvgPool2d")
TOO_LARGE = Refusal("{name} is too large to be probed", "use Linear, Conv2d or AvgPool2d, which are known")
UNKNOWN_CALL = Refusal(
    "{name} is called in a way that is not known ({error})", "use a Linear, Conv2d or AvgPool2d module"
)
BATCH_STATISTICS = Refusal(
    "{name} takes the statistics of the batch", "keep running statistics: track_running_stats=True, and train with them"
)
GIVEN_PARAMETER = Refusal(
    "its {name} depends on the sample", "give the neuron parameters that are the same for all samples"
)
ENDLESS = Refusal(
    "it gets spikes of {source} from as long ago as the first step, {lag} steps of {steps}",
    "give a longer sample where it remembers some steps; a trace of all spikes, as tr = 0.5 * tr + s, feeds no layer",
)
ORIGINAL = Refusal(
    "forward runs the module that was given, not its copy: a lambda or call= holds on to it",
    "make that lambda a method, and in call= run the module that it is given",
)
STALE = Refusal("it is fed by a tensor that was changed in place through a view", "write the result to a new tensor")
IN_PLACE = Refusal("it is fed by a tensor that {name} changed in place", "write the result to a new tensor")
BY_DATA = Refusal(
    "forward changes a tensor through its .data ({name}), which nothing notices",
    "leave parameters and states alone during forward, and write results to new tensors",
)
POOLED_CURRENT = Refusal(
    "{name} takes the maximum of currents, which no sum of spikes is",
    "pool behind the neuron (of spikes, which is exact) and train again, or use AvgPool2d",
)
POOL_FORM = Refusal("{name} with {form}", "use max_pool2d with kernel_size, stride and padding, or windows of one size")
FRONT_END = Refusal(
    "{name} stands before the first neuron and is not affine",
    "compute it outside and give its result as the sample, or allow it as the input by outside=True",
)
UNLIKE_STEPS = Refusal(
    "what feeds it at step {step} is not what feeds it at the last step", "do the same in every step of the loop"
)
UNLIKE_DATA = Refusal(
    "the sample feeds it at step {step} in more or fewer ways than at the last step, as where zeros stand for a frame",
    "write frame * 0 for these zeros, which is an input too",
)
UNLIKE_CONSTANT = Refusal(
    "the constant that it gets at step {step} is not that of the last step", "add the same constant in every step"
)
FED_BY_STATE = Refusal("it is fed by the membrane or current of {source}", "feed it by spikes")
FED_BY_READ_OUT = Refusal(
    "it is fed by {source}, which never resets", "give {source} reset_mechanism 'zero' or 'subtract'"
)
FEEDBACK = Refusal(
    "{source} feeds it back sooner than the layers between need: each connection takes a step",
    "feed back within one layer, or from spikes that are older by the layers between",
)
LAGGED = Refusal(
    "it gets spikes of {source} from {lag} ago, a network gives them from {ours}",
    "feed each layer by spikes of the same step, and older ones only beside these",
)
READ_OUT_STEPS = Refusal(
    "a read-out was made {found} times in {steps} steps",
    "make each read-out once a step, and return the values of all steps",
)
READ_OUT_COUNTS = Refusal(
    "weights behind the last neuron take what was added up over steps", "apply them in every step, then add up"
)
READ_OUT_BIAS = Refusal(
    "weights behind the last neuron take the sum of all steps, and add their bias once",
    "take the mean over steps, which is the mean of a read-out in each step, or weights with bias=False",
)
LEAKY_READ_OUT = Refusal(
    "a read-out weighs its steps differently",
    "use a neuron that never resets, as snn.Leaky with reset_mechanism='none', and return its membrane",
)
BEHIND = Refusal(
    "{name} takes what is no sum of spikes: {error}",
    "apply weights to spikes in every step, or to their mean over steps, and do the rest behind them",
)
HAND_MADE = Refusal(
    "{name} compares what depends on the comparison of an earlier step, as a neuron written by hand does",
    "use a neuron of a known class, or return what enters it and do the rest apart",
)
NETWORK = Refusal("the network that it makes is refused: {error}", "{remedy}")
TOLD_APART = Refusal("its spikes differ at sample {sample}, step {step}, neuron {neuron} ({values})", "{advice}")
VALUES_APART = Refusal("its v differs by {gap} at sample {sample}, step {step}, neuron {neuron}", "{advice}")
OTHER_STRUCTURE = Refusal(
    "the check sample makes another network", "make forward do the same for every sample: no branch on values"
)


def told_by(error: DlmError) -> tuple[str, str]:
    """What an error says and its remedy: two halves of its line."""
    what, _, remedy = str(error).partition("; ")
    return what, remedy or "change that layer"


ENCODED_OTHERWISE = Refusal(
    "the sample to be encoded makes another network than the import's",
    "make forward do the same for every sample: no branch on values, no number that the shape of the sample gives",
)
NEIGHBORS = Refusal(
    "what the network gets of a sample depends on the samples or steps beside it",
    "encode {samples} samples of {steps} steps, as in the import",
)
NO_TENSOR = Refusal("it is a {kind} without a tensor", "give tensors or arrays, in the form of the import's sample")
OTHER_SHAPES = Refusal(
    "it has the shape {found}, the import's had {known}",
    "give that shape; only the numbers of samples and steps may differ",
)


def refusals() -> dict[str, Refusal]:
    """All of this module, by name."""
    return {name: value for name, value in globals().items() if isinstance(value, Refusal)}
