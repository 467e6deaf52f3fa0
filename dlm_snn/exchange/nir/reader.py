"""NIR graphs as networks: the Neuromorphic Intermediate Representation, in."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import nir
import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, LossWarning, UnsupportedError
from dlm_snn.exchange.nir.graph import from_file
from dlm_snn.exchange.nir.neurons import Reset
from dlm_snn.exchange.nir.nodes import TARGET
from dlm_snn.exchange.nir.notes import from_notes
from dlm_snn.exchange.nir.parts import Reader, Source
from dlm_snn.exchange.nir.writer import NOTE
from dlm_snn.files.names import told_identifiers
from dlm_snn.networks.network import Network
from dlm_snn.neurons.models import spikes

RESETS = get_args(Reset)
NOTHING_GIVEN = Source()


@dataclass(frozen=True)
class NirImport:
    """A NIR graph that was read.

    Attributes:
        network: what it is here.
        names: node -> its population, where the graph's own name is no identifier.
        factors: population -> what its input was multiplied by, one a neuron; none for a file of ours.
        told: what stands in an unusual place or is not taken as it is stored, a line each.
        doubts: what was assumed, or speaks against it, a line each.
    """

    network: Network
    names: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    told: Sequence[str] = ()
    doubts: Sequence[str] = ()

    def notes(self) -> list[str]:
        """Nodes that were renamed; shapes; each population's reset, decays and the factor on its input."""
        lines = [f"renamed: {told_identifiers(self.names)}"] if self.names else []
        lines += self.told
        for name, factor in self.factors.items():
            lif = self.network.neurons[name]
            values = {"du": lif.du, "dv": lif.dv, "factor on its input": factor}
            told = [f"{key} = {_span(np.asarray(value))}" for key, value in values.items()]
            what = f"reset '{lif.reset}'" if spikes(lif) else "never spikes"
            lines.append(f"{name}: {what}, {', '.join(told)}")
        return lines


def read_nir(
    graph: str | os.PathLike[str] | nir.NIRGraph,
    dt: float | None = None,
    extra_steps: bool = False,
    reset: Reset | None = None,
    input_shape: tuple[int, ...] | None = None,
    graded_bits: int | None = None,
    scale: float = 1.0,
    signed: bool = False,
) -> Network:
    """A NIR graph, or the file of one, as a Network.

    The rasters are those of a direct forward Euler evaluation (``neurons.neuron``) in which forward edges take no
    time and edges that close a loop take one step. Every connection here takes a step at least, so forward edges get
    the delays that balance the graph: the difference of the longest paths from the Inputs. A NIR Delay adds its steps;
    where all ways to a population pass Delays, its window opens that much later, with the same raster. A file that
    ``write_nir`` made comes back with its digest.

    Args:
        graph: of Affine, Linear, Conv1d, Conv2d, SumPool2d, AvgPool2d, Scale, Flatten, Delay, LIF, CubaLIF, IF nodes,
            nested graphs too; LI, CubaLI, I, and linear nodes before an Output, as populations that never spike.
        dt: seconds a step, as whoever wrote the graph had it (docs/exchange.md has a table); a file of ours tells it.
        extra_steps: import feedback from a deeper layer, which cannot be one step, with the steps that it takes, and
            say so in a LossWarning.
        reset: "zero" or "subtract", which NIR does not tell: without it "zero", said in a LossWarning.
        input_shape: of the one Input, where the file's begins with axes of samples or steps; leading axes of 1 need
            none.
        graded_bits, scale, signed: of every Input, see ``Input``: real values are integers / scale, counts have
            scale 1; None: spikes.

    A LossWarning says too where the decays or the factor on an input let dt be doubted, and where v was taken to start,
    if v_reset and v_leak differ. A node's metadata may hold ``refractory_time``, in seconds.

    Raises:
        MissingError: no such file.
        UnsupportedError: what has no equal, by the name of its node.
        DlmError: a damaged file, an unknown or missing node, shapes that do not chain.
    """
    return import_nir(graph, dt, extra_steps, reset, Source(input_shape, graded_bits, scale, signed)).network


def import_nir(
    graph: str | os.PathLike[str] | nir.NIRGraph,
    dt: float | None = None,
    extra_steps: bool = False,
    reset: Reset | None = None,
    source: Source = NOTHING_GIVEN,
) -> NirImport:
    """``read_nir``, with what was done to names and inputs."""
    where = "the graph"
    if not isinstance(graph, nir.NIRGraph):
        where = str(graph)
        graph = from_file(Path(graph))
    try:
        if reset not in (None, *RESETS):
            raise DlmError(f"reset = {reset!r} is neither {' nor '.join(map(repr, RESETS))}")
        if NOTE in (graph.metadata or {}):
            if reset not in (None, "zero"):
                raise DlmError(f"it was written with reset 'zero', not {reset!r}; leave reset out")
            if source != NOTHING_GIVEN:
                raise DlmError("it tells its Inputs; leave input_shape, graded_bits, scale and signed out")
            return NirImport(from_notes(graph, dt))
        if dt is None:
            raise DlmError("a NIR graph has no steps; give dt (--dt), in seconds")
        if not 0 < dt < np.inf:
            raise DlmError(f"dt = {dt!r} is not a number of seconds above 0")
        found = NirImport(*Reader(graph, dt, extra_steps, reset or "zero", source).read())
    except UnsupportedError as error:
        raise UnsupportedError(f"{TARGET} of {where}", error.thing, error.remedy) from error
    except DlmError as error:
        raise DlmError(f"{where}: {error}") from error
    if reset is None:
        assumed = "its neurons are taken to reset to zero: NIR stores no other reset, also where the network that was"
        remedy = "written subtracts the threshold (the default of snnTorch, sinabs and rockpool); give reset (--reset)"
        warnings.warn(f"{where}: {assumed} {remedy}", LossWarning, stacklevel=3)
    for doubt in found.doubts:
        warnings.warn(f"{where}: {doubt}", LossWarning, stacklevel=3)
    return found


def _span(values: NDArray[np.float64]) -> str:
    low, high = values.min(), values.max()
    return f"{low:.6g}" if low == high else f"{low:.6g}..{high:.6g}"
