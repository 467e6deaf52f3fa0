"""Weights of a projection as a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.plots.style import DIVERGING, color_bar, drawing
from dlm_snn.analysis.plots.time_axis import whole_numbers
from dlm_snn.connections.connection import Connection
from dlm_snn.errors import DlmError, nearest
from dlm_snn.files.free_memory import check_room
from dlm_snn.networks.network import IntegerNetwork, IntegerProjection, Network, Projection
from dlm_snn.values import as_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def weights(data: Any, projection: str | None = None, ax: Axes | None = None) -> Axes:
    """The weights of a projection, (post, pre), in a map of colors that is white at 0 and even to both sides.

    A connection of another form than Dense is multiplied out.

    Args:
        data: a matrix (post, pre); a connection; a projection; or a network.
        projection: of a network, ``pre->post``; may be left out where it has only one.
        ax: to draw into; None: a new figure.

    Returns:
        The Axes: presynaptic neurons to the right, postsynaptic ones upwards.

    Raises:
        DlmError: no such projection, no matrix, or one that does not fit into the free memory.
    """
    matrix, pre, post = _matrix(data, projection)
    with drawing(ax, height=2.9) as axes:
        from matplotlib.ticker import MaxNLocator

        most = float(np.nanmax(np.abs(matrix), initial=0.0)) or 1.0
        look: dict[str, Any] = {"cmap": DIVERGING, "vmin": -most, "vmax": most, "origin": "lower"}
        drawn = axes.imshow(matrix, aspect="auto", interpolation="nearest", **look)
        bar = color_bar(axes, drawn, "weight" if matrix.dtype.kind == "f" else "weight, in integers")
        bar.ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.set(xlabel=f"presynaptic neuron{pre}", ylabel=f"postsynaptic neuron{post}")
        for axis in (axes.xaxis, axes.yaxis):
            whole_numbers(axis)
    return axes


def _matrix(data: Any, projection: str | None) -> tuple[NDArray, str, str]:
    """(post, pre), and what the axes say of its populations."""
    if isinstance(data, (Network, IntegerNetwork)):
        data = _of_network(data, projection)
    elif projection is not None:
        raise DlmError(f"projection = {projection!r} is for a network; leave it out")
    if isinstance(data, (Projection, IntegerProjection)):
        return _dense(data.connection), f" of {data.pre}", f" of {data.post}"
    if isinstance(data, Connection):
        return _dense(data), "", ""
    matrix = as_array(data, "weights")
    if matrix.ndim != 2 or not matrix.size:
        raise DlmError(f"weights of shape {matrix.shape} are no matrix; give (post, pre), with at least one synapse")
    return matrix, "", ""


def _of_network(network: Network | IntegerNetwork, name: str | None) -> Any:
    known = {projection.name: projection for projection in network.projections}
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name not in known:
        told = "none was named" if name is None else f"'{name}' is none of them; {nearest(name, known)}"
        raise DlmError(
            f"the network has the projections {', '.join(known) or 'none'}; {told}; give projection=PRE->POST"
        )
    return known[name]


def _dense(connection: Connection) -> NDArray:
    """Column j is what a 1 of presynaptic neuron j causes."""
    check_room(16 * connection.n_post * connection.n_pre, "a matrix of weights")
    sparse = connection.sparse()
    matrix = np.zeros((connection.n_post, connection.n_pre), dtype=sparse.weight.dtype)
    np.add.at(matrix, (sparse.post, sparse.pre), sparse.weight)
    return matrix
