"""A torch module of any class as a Network, proved on a sample."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dlm_snn.exchange.torch_modules.building import Built, build
from dlm_snn.exchange.torch_modules.calls import mapped, widened
from dlm_snn.exchange.torch_modules.copying import copied, running, untouched_modules, unwrapped
from dlm_snn.exchange.torch_modules.encoding import Encoder
from dlm_snn.exchange.torch_modules.hoisting import HoistingRecorder
from dlm_snn.exchange.torch_modules.keeping import Kept
from dlm_snn.exchange.torch_modules.neurons import Reader, Table, tables_for, tensors
from dlm_snn.exchange.torch_modules.proof import Layer, Proof, compared
from dlm_snn.exchange.torch_modules.read_outs import read_outs
from dlm_snn.exchange.torch_modules.recorder import Allowed, Recorder
from dlm_snn.exchange.torch_modules.refusals import (
    ALL_AT_ONCE,
    BEHIND,
    EMPTY,
    FAILS,
    FEW_STEPS,
    INFERENCE,
    MIXED,
    NO_NEURONS,
    NO_READERS,
    NOT_LINEAR,
    OTHER_STRUCTURE,
    OVER_SAMPLES,
    READ_OUT_BIAS,
    READ_OUT_COUNTS,
    READ_OUT_STEPS,
    STRANGER,
    TOO_LARGE,
    UNBATCHED,
    UNBATCHED_CALL,
    UNLIKE_DATA,
    UNLIKE_STEPS,
    UNSTEADY,
    RefusedError,
)
from dlm_snn.exchange.torch_modules.steps import FEWEST, check_finite, count_steps
from dlm_snn.exchange.torch_modules.watching import Watch
from dlm_snn.networks.network import Network

AT_ONCE = (
    *(ALL_AT_ONCE, BEHIND, MIXED, NOT_LINEAR, OVER_SAMPLES, READ_OUT_COUNTS, READ_OUT_STEPS, STRANGER, TOO_LARGE),
    *(READ_OUT_BIAS, UNBATCHED_CALL, UNLIKE_DATA, UNLIKE_STEPS),
)
"""What a function of all steps at once looks like."""
Drive = Callable[[nn.Module, Any], Any]
ONE_SAMPLE = (UNBATCHED, UNBATCHED_CALL, NO_NEURONS)
"""What a step of a sample of one step meets."""


@dataclass(frozen=True, eq=False)
class Imported:
    """A network that a module became.

    Attributes:
        network: its populations are named as the module's parts are.
        input: of each Input, the integers that the sample was, (sample, step, neuron); (sample, neuron) where they are
            the same in every step.
        proof: what was compared, what was folded, the input's grid.
        encode: (another sample) -> its integers; runs forward up to the first weights. The numbers of samples and steps
            may be others, down to one; one sample may come without its axis. A DlmError: values that the Input does not
            hold, another network, or a forward that mixes samples or steps in a batch that has to be filled up.
    """

    network: Network
    input: Mapping[str, NDArray[np.int64]]
    proof: Proof
    encode: Callable[[Any], dict[str, NDArray[np.int64]]]

    def __repr__(self) -> str:
        fed = ", ".join(f"{name}: {values.shape} {values.dtype}" for name, values in self.input.items())
        return f"Imported, {self.proof}\ninput {{{fed}}}\n{self.network!r}"


@dataclass(frozen=True, eq=False)
class _Run:
    """A recorded run of the copy: how it was driven, and the shapes of its sample's tensors."""

    built: Built
    steps: int
    recorder: Recorder
    drive: Drive
    shapes: Sequence[tuple[int, ...]]


def from_torch(
    module: nn.Module,
    sample: Any,
    call: Drive | None = None,
    check: Any = None,
    neurons: Mapping[type, Reader] | Table | None = None,
    outside: bool = False,
    branches: bool = False,
) -> Imported:
    """A Network that spikes as a torch module does, proved on a sample.

    A deep copy of the module runs on the sample, in eval mode and float64, while every torch function is recorded.
    Each neuron module with one line of states becomes a population, what stands between two of them a Projection; a
    step is a call of every neuron. Then the network runs on the same sample, and every layer is compared: spikes
    exactly, v of read-outs to 1e-9. The input is what enters the first weights, on a grid of integers.

    Args:
        module: neurons of a library with a table (snnTorch, spikingjelly, norse, sinabs), and between them functions
            that are linear in spikes. DataParallel, compiled and pruned modules are taken as what they wrap.
        sample: what forward takes, with a sample axis of size 2 or more; a tuple: its arguments. A module that computes
            one step a call, with states of its own, gets ``sample[0]``, ``sample[1]``, ...
        call: (module, sample) -> output, where it is to be run in another way: a loop over time of one's own.
        check: another sample, on which the same network must come out, and equal the module.
        neurons: readers of neuron classes of one's own, by exact type; or a Table.
        outside: functions that are not affine, or random, before the first neuron: their results are the input.
        branches: looks at values; the network has the way that this sample took.

    Raises:
        UnsupportedError: what no network does, by the layer and with what to change; a proof that failed.
    """
    given = unwrapped(module)
    own = copied(given)
    tables = tables_for(own)
    if neurons is not None:
        tables.insert(0, neurons if isinstance(neurons, Table) else Table(readers=_readers(neurons)))
    intake = _Intake(own, tables, call, Allowed(outside, branches), frozenset(given.modules()))
    first = intake.steady(sample)
    layers: list[Layer] = compared(first.built, first.steps, "sample")
    samples = first.recorder.batch or 0
    if check is not None:
        second = intake.steady(check)
        if second.built.structure() != first.built.structure():
            raise RefusedError(OTHER_STRUCTURE, "the module")
        layers += compared(second.built, second.steps, "check")
        samples += second.recorder.batch or 0
    notes = tuple(first.recorder.notes)
    proof = Proof(first.built.network.digest(), first.steps, samples, tuple(layers), first.built.grids, notes)
    return Imported(first.built.network, first.built.stimulus, proof, intake.encoder(first))


class _Intake:
    """Runs of one copy."""

    def __init__(
        self, module: nn.Module, tables: list[Table], call: Drive | None, allowed: Allowed, given: frozenset[nn.Module]
    ) -> None:
        self.module, self.tables, self.call, self.allowed, self.given = module, tables, call, allowed, given
        self.hoisting = False
        """Whether functions of all steps at once are taken apart: where a run without that was refused."""
        self.stepping = False
        """Whether the module computes one step a call, and begins anew with each sample."""
        self.kept = Kept(module, tables)

    def steady(self, sample: Any) -> _Run:
        """A run on the grid of its input, which is known from a run before; both must be the same."""
        sample = widened(mapped(_as_tensors(sample), torch.Tensor.detach))
        for tensor in tensors(sample):
            if tensor.numel() == 0:
                raise RefusedError(EMPTY, "the sample", shape=tuple(tensor.shape))
        before = self._run(sample, None)
        grids = [before.built.leaf_grids.get(id(leaf)) for leaf in before.recorder.leaves]
        now = self._run(sample, grids)
        if now.built.structure() != before.built.structure():
            raise RefusedError(UNSTEADY, "the module", what="in their structure")
        for one, other in zip(before.recorder.leaves, now.recorder.leaves, strict=True):
            if not torch.equal(one.values, other.values):
                raise RefusedError(UNSTEADY, "the module", what="in their input")
        return now

    def encoder(self, like: _Run) -> Callable[[Any], dict[str, NDArray[np.int64]]]:
        """(another sample) -> what a network gets of it."""
        drive = like.drive

        def record(sample: Any) -> Built:
            return self._driven(drive, sample, None).built

        encoder = Encoder(record, like.built, like.shapes, like.recorder.batch or 0, like.steps)
        return lambda sample: encoder(widened(mapped(_as_tensors(sample), torch.Tensor.detach)))

    def _run(self, sample: Any, grids: Any) -> _Run:
        try:
            return self._run_once(sample, grids)
        except RefusedError as error:
            if self.hoisting or error.refusal not in AT_ONCE:
                raise
            first = error
        self.hoisting = True
        try:
            return self._run_once(sample, grids)
        except RefusedError as error:
            self.hoisting = False
            # What is refused for another reason by now has its steps told apart.
            known = error.refusal in (*AT_ONCE, FAILS) and first.refusal is not BEHIND
            raise (first if known else error) from None

    def _run_once(self, sample: Any, grids: Any) -> _Run:
        if self.call is not None:
            return self._driven(self.call, sample, grids)
        if self.stepping:
            return self._driven(_step_by_step, sample, grids)
        try:
            return self._driven(_at_once, sample, grids)
        except RefusedError as error:
            one_step = error.refusal is FAILS or (error.refusal is FEW_STEPS and error.values["calls"] == 1)
            if not one_step or not self._keeps_states():
                raise
            first = error
        try:
            found = self._driven(_step_by_step, sample, grids)
        except RefusedError as error:
            # What forward itself said counts: one step of its sample is none that it was written for.
            few = any(tensor.ndim > 2 and len(tensor) < FEWEST for tensor in tensors(sample))
            failed = error.refusal is FAILS or ((first.refusal is FAILS or few) and error.refusal in ONE_SAMPLE)
            raise (first if failed else error) from None
        self.stepping = True
        return found

    def _keeps_states(self) -> bool:
        return any(
            type(part) in table.readers and table.keeps_state(part)
            for part in self.module.modules()
            for table in self.tables
        )

    def _driven(self, drive: Drive, sample: Any, grids: Any) -> _Run:
        if drive is _step_by_step:
            self.kept.restore()
        with running(self.module, self.tables, seed=0 if self.allowed.outside or grids is None else 1):
            given = mapped(sample, torch.clone)
            kind = HoistingRecorder if self.hoisting else Recorder
            recorder = kind(self.module, given, self.allowed, grids)
            watch = Watch(self.module, self.tables, recorder)
            try:
                with recorder, untouched_modules(self.given, recorder.refuse), watch.unseen():
                    output = _ended(drive(self.module, given))
            except RefusedError:
                raise
            except Exception as error:
                if recorder.refused is not None:
                    raise recorder.refused from None
                if "nference tensor" in str(error):
                    raise RefusedError(INFERENCE, "the module") from error
                raise RefusedError(FAILS, "the module", error=f"{type(error).__name__}: {error}") from error
            finally:
                watch.close()
            if recorder.refused is not None:
                raise recorder.refused
            if isinstance(recorder, HoistingRecorder):
                output = recorder.unfolded(output)
            lines = [*watch.order, *recorder.pools.lines.values()]
            steps = count_steps(lines, list(watch.lines.items()))
            lines += read_outs(output, recorder, steps, lenient=self.hoisting)
            check_finite(lines, self.module)
            built = build(lines, watch.tables)
        return _Run(built, steps, recorder, drive, [tuple(tensor.shape) for tensor in tensors(sample)])


def _readers(given: Any) -> Mapping[type, Reader]:
    """What ``neurons=`` gives.

    Raises:
        RefusedError: something else than readers by class.
    """
    if not isinstance(given, Mapping):
        raise RefusedError(NO_READERS, "the import", found=f"is a {type(given).__name__}")
    for kind, reader in given.items():
        if not (isinstance(kind, type) and issubclass(kind, nn.Module) and callable(reader)):
            raise RefusedError(NO_READERS, "the import", found=f"has {kind!r}: a {type(reader).__name__}")
    return given


def _ended(output: Any) -> Any:
    """A forward that yields has done nothing until its results are asked for."""
    if isinstance(output, list):
        return [_ended(part) for part in output]
    return list(output) if isinstance(output, Generator) else output


def _at_once(module: nn.Module, sample: Any) -> Any:
    return module(*sample) if isinstance(sample, tuple) else module(sample)


def _step_by_step(module: nn.Module, sample: Any) -> Any:
    """One call a step, over the sample's first axis."""
    given = sample if isinstance(sample, tuple) else (sample,)
    return [module(*(part[step] for part in given)) for step in range(len(given[0]))]


def _as_tensors(sample: Any) -> Any:
    """Arrays as tensors."""
    if isinstance(sample, (list, tuple)):
        return type(sample)(_as_tensors(part) for part in sample)
    if isinstance(sample, Mapping):
        return {key: _as_tensors(part) for key, part in sample.items()}
    return torch.as_tensor(sample, device="cpu") if isinstance(sample, np.ndarray) else sample
