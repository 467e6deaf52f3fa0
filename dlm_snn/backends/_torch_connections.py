"""The connections in torch: the same linear maps, under autograd."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.pool2d import Pool2d


def product(connection: Connection, weight: Tensor, x: Tensor) -> Tensor:
    """The synaptic sums of presynaptic values (..., pre): (..., post).

    Args:
        connection: Dense, Sparse, Conv2d or Pool2d; a Chain is multiplied out before.
        weight: in place of its own, of the same shape.
        x: of the type of ``weight``.
    """
    if isinstance(connection, Sparse):
        places = torch.stack(
            [torch.tensor(connection.post, device=weight.device), torch.tensor(connection.pre, device=weight.device)]
        )
        matrix = torch.sparse_coo_tensor(
            places, weight, connection.shape, is_coalesced=True, check_invariants=False, device=weight.device
        )
        return torch.sparse.mm(matrix, x.reshape(-1, connection.n_pre).T).T.reshape(*x.shape[:-1], connection.n_post)
    if isinstance(connection, Pool2d):
        form = connection.convolution()
        return product(form, weight.expand(form.weight.shape), x)
    if isinstance(connection, Conv2d):
        image = x.reshape(-1, *connection.input_shape)
        sums = conv2d(
            image, weight, None, connection.stride, connection.padding, connection.dilation, connection.groups
        )
        return sums.reshape(*x.shape[:-1], connection.n_post)
    return x @ weight.T
