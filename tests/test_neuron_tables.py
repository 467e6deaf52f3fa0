"""Neurons of spikingjelly, norse and sinabs, against spikes that the libraries made, on weights in quarters.

By default the libraries are stand-ins, which are held to the same spikes; ``make test-libraries`` (DLM_LIBRARIES) runs
all of this with the libraries themselves, and ``test_neuron_libraries.py``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules.neurons import tables_for
from dlm_snn.exchange.torch_modules.refusals import UNKNOWN_NEURON, RefusedError
from tests.libraries.make_golden import NAMES, runs
from tests.libraries.nets import LAYERS, STEPS, Net, sample, spikes_of
from tests.libraries.page import tables
from tests.libraries.standins import installed
from tests.libraries.trying import GOLDEN, ON_GRID, OWN, REFUSED, TAKEN, known, taken, tried


def ran(imported: dlm.Imported, network: dlm.Network) -> dlm.Recording:
    return dlm.run(network, imported.input, n_steps=STEPS, record=("s", "v"))


@pytest.mark.parametrize("library", NAMES)
def test_the_libraries_spikes_are_the_kept_ones(library: str) -> None:
    """Of the libraries themselves this says that the files are up to date, of the stand-ins that they do the same."""
    with tried(library) as found:
        kept = GOLDEN[library]["taken"]
        assert runs(found) == {case: kept[case] for case in found.taken}
        assert {*found.refused} <= {*GOLDEN[library]["refused"]}
        if not OWN or version(library) == GOLDEN[library]["version"]:
            assert [*found.taken] == [*kept]


@pytest.mark.skipif(OWN, reason="needs a stand-in of norse")
def test_a_norse_without_these_cells_is_refused() -> None:
    with installed("norse"):
        del sys.modules["norse.torch.functional.reset"]
        with pytest.raises(dlm.DlmError, match=r"norse\.torch\.functional\.reset; install norse>=1\.1"):
            import_module("dlm_snn.exchange.torch_modules.norse_table")


@pytest.mark.parametrize(("library", "case"), TAKEN)
def test_the_network_makes_the_spikes_of_the_library(library: str, case: str) -> None:
    imported = taken(library, case)
    recording = ran(imported, imported.network)
    for layer, kept in GOLDEN[library]["taken"][case].items():
        if isinstance(kept, str):
            assert not np.count_nonzero(recording.rasters[layer].dense() != spikes_of(kept, LAYERS[layer]))
            assert 0.01 < spikes_of(kept, LAYERS[layer]).mean() < 0.9
        else:
            np.testing.assert_allclose(recording.v[layer][:, -1], kept, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("library", "case"), ON_GRID)
def test_the_grid_tells_at_the_threshold_from_above(library: str, case: str) -> None:
    """The threshold one double higher or lower: one of them makes other spikes, so that > and >= were told apart."""
    imported = taken(library, case)
    network, hidden = imported.network, imported.network.neurons["hidden"]
    kept = spikes_of(GOLDEN[library]["taken"][case]["hidden"], LAYERS["hidden"])
    differ = []
    for way in (-np.inf, np.inf):
        moved = replace(hidden, v_threshold=np.nextafter(hidden.v_threshold, way))
        other = dlm.Network({**network.populations, "hidden": moved}, network.projections)
        differ.append(np.count_nonzero(ran(imported, other).rasters["hidden"].dense() != kept))
    assert min(differ) == 0
    assert max(differ) > 0


@pytest.mark.parametrize(("library", "case"), REFUSED)
def test_what_has_no_equal_is_refused_by_name(library: str, case: str) -> None:
    with tried(library) as found:
        known(case, found.refused)
        module, words = found.refused[case]
        net = Net(module, found.call)
        (table,) = tables_for(net)
        with pytest.raises(RefusedError, match=r"^layer '(hidden|out)' \(\w+\): .+; .+") as error:
            dlm.from_torch(net, sample())
    assert words in str(error.value)
    assert error.value.refusal in (*table.refusals, UNKNOWN_NEURON)


@pytest.mark.parametrize(
    ("case", "membrane"),
    [
        ("LIFNode, v_reset below 0", "-0.5 + 0.5 v"),
        ("ParametricLIFNode, soft, input not decayed", ""),
        ("IFNode, hard", ""),
    ],
)
def test_the_proof_tells_what_the_membrane_is(case: str, membrane: str) -> None:
    layers = taken("spikingjelly", case).proof.layers
    assert [layer.membrane for layer in layers] == [membrane] * 4
    assert str(layers[0]).endswith("; the module's v is " + membrane if membrane else " equal")


def test_a_tie_is_told_in_the_unit_of_the_module() -> None:
    """A threshold that lies above each v by less than rounding: the module does not spike, a network of it would."""
    with tried("norse") as found:
        net: Any = Net(found.taken["LIFBoxCell"], found.call)
        (table,) = tables_for(net)
        own = table.readers[type(net.hidden)]

        def lower(module: Any, shape: tuple[int, ...], where: str) -> Any:
            right = own(module, shape, where)
            moved = replace(right.population, v_threshold=np.nextafter(right.population.v_threshold, 0))
            return replace(right, population=moved)

        wrong = replace(table, readers={type(net.hidden): lower})
        with pytest.raises(RefusedError, match=r"its v 1, ours 0\); v lies on the threshold up to rounding"):
            dlm.from_torch(net, sample(), neurons=wrong)


class Pooled(nn.Module):
    """sinabs' SumPool2d is an LPPool2d of norm 1."""

    def __init__(self, norm: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.hidden = nn.Conv2d(2, 4, 3), snntorch.Leaky(0.9, init_hidden=True)
        self.pool, self.second, self.out = nn.LPPool2d(norm, 2), nn.Linear(36, 3), snntorch.Leaky(0.8, init_hidden=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.second(self.pool(self.hidden(self.first(x))).flatten(1)))


def test_sums_over_windows_are_a_pool2d() -> None:
    given = torch.rand(8, 3, 2, 8, 8, generator=torch.Generator().manual_seed(1)) * 3
    network = dlm.from_torch(Pooled(1), given).network
    (into,) = [p.connection for p in network.projections if p.post == "out"]
    assert type(into.parts[0]) is dlm.Pool2d
    with pytest.raises(RefusedError, match=r"layer 'out' \(Leaky\): lp_pool2d is not linear here"):
        dlm.from_torch(Pooled(2), given)


@pytest.mark.skipif(OWN, reason="the page is made with the stand-ins")
def test_the_page_tells_what_is_taken() -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "neurons.md").read_text()
    assert page.endswith(tables()), "run python -m tests.libraries.page and put its tables at the end of the page"
