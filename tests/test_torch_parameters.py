"""Parameters of each neuron, in all the shapes that torch broadcasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn

import dlm_snn as dlm
from dlm_snn.exchange.snntorch.parameters import Shape, each
from dlm_snn.exchange.torch_modules.refusals import RefusedError
from tests.torch_styles import BATCH, made, trains


class Shaped(nn.Module):
    """A layer of neurons in several axes, with one parameter of a shape of its own."""

    def __init__(self, shape: tuple[int, ...], parameter: str, of: tuple[int, ...]) -> None:
        super().__init__()
        self.shape, self.fc = shape, nn.Linear(36, int(np.prod(shape)))
        values = torch.arange(1, 1 + int(np.prod(of))).reshape(of) % 3 / 4 + 0.25
        options: Any = {"beta": 0.75, "threshold": 0.5, "V": -0.25, parameter: values}
        self.lif = snn.RSynaptic(**{"alpha": 0.5, **options}, all_to_all=False)

    def forward(self, x: Tensor) -> Tensor:
        states, found = self.lif.init_rsynaptic(), []
        for frame in x:
            states = self.lif(self.fc(frame.flatten(1)).view(-1, *self.shape), *states)
            found.append(states[0])
        return torch.stack(found)


SHAPES = [((3, 4), of) for of in ((4,), (1, 4), (3, 1), (3, 4), (1, 3, 4), (1, 1, 1))]
SHAPES += [((2, 3, 4), of) for of in ((2, 1, 1), (1, 2, 1, 1), (3, 1), (2, 3, 4))]
SHAPES += [((5,), (5,)), ((5,), (1, 5))]


PARAMETERS = ("beta", "alpha", "threshold", "V")


@pytest.mark.parametrize(
    ("shape", "of", "parameter"),
    [(*shapes, PARAMETERS[(n + k) % 4]) for n, shapes in enumerate(SHAPES) for k in (0, 2)],
    ids=str,
)
def test_parameters_are_taken_as_torch_broadcasts_them(
    shape: tuple[int, ...], of: tuple[int, ...], parameter: str
) -> None:
    module = made(lambda: Shaped(shape, parameter, of), quarters=True)
    imported = dlm.from_torch(module, trains(0))
    spikes = dlm.run(imported.network, imported.encode(trains(1)), n_steps=len(trains(1))).rasters["lif"].dense()
    theirs = module(trains(1)).detach().transpose(0, 1).flatten(2).numpy() > 0
    assert 0.02 < theirs.mean() < 0.98
    np.testing.assert_array_equal(spikes, theirs)


@pytest.mark.parametrize(
    ("parameter", "of"),
    [("beta", (BATCH, 1)), ("beta", (1, 1, 4)), ("beta", (1, 1, 1, 4)), ("threshold", (BATCH, 1))],
    ids=str,
)
def test_parameters_of_each_sample_are_refused(parameter: str, of: tuple[int, ...]) -> None:
    with pytest.raises(RefusedError, match=f"{parameter} of shape .* does not fit neurons of the shape") as error:
        dlm.from_torch(made(lambda: Shaped((4,), parameter, of)), trains(0))
    assert str(error.value).count("layer 'lif'") == 1


@pytest.mark.parametrize("neurons", [(3, 5), (2, 3, 5)])
def test_a_recurrent_matrix_is_applied_row_by_row(neurons: tuple[int, ...]) -> None:
    class Rows(Shaped):
        def __init__(self) -> None:
            super().__init__(neurons, "beta", (5,))
            self.lif = snn.RSynaptic(alpha=0.5, beta=0.75, linear_features=5, threshold=0.5)

    imported = dlm.from_torch(made(Rows, quarters=True), trains(0), check=trains(1))
    assert all(layer.spikes for layer in imported.proof.layers)


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4), (1, 6), (4,)])
def test_each_is_what_torch_adds(shape: tuple[int, ...]) -> None:
    zeros = torch.zeros(7, *shape)
    for of in [(), (1,), shape, (1, *shape), (shape[-1],), tuple(1 for _ in shape)]:
        values = torch.rand(of)
        whole = np.broadcast_to(each(values.numpy(), Shape((zeros[0].numel(),), shape)), zeros[0].numel())
        np.testing.assert_array_equal((zeros + values)[3].flatten().numpy(), whole.astype(np.float32))
