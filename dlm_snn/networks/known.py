"""Whoever computes or writes a network knows the exact type of its parts; a type derived from a known one is unknown.

A derived type has more to it than its base, or it would not be there: taken for its base it would be computed, or
written, as something else without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import UnsupportedError
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
from dlm_snn.neurons.models import ALL, OTHERS, model_of, models

ARITHMETICS: Mapping[str, type] = {"float": Network, "integer": IntegerNetwork}
"""What a network is computed in -> its type."""
PROJECTIONS = (Projection, IntegerProjection)
CONNECTIONS = (Dense, Sparse, Conv2d, Pool2d, Chain)


def arithmetic_of(network: Network | IntegerNetwork) -> str:
    """What a network is computed in, of ``ARITHMETICS``."""
    return "integer" if isinstance(network, IntegerNetwork) else "float"


def check_known(network: Network | IntegerNetwork, who: str, neurons: Collection[type] | None = None) -> None:
    """Raise unless everything in a network is of an exact type that is known.

    Args:
        network: to be computed or written.
        who: by whom; a name of ``models.ALL``, else it counts as a backend of another package.
        neurons: the exact types of neuron populations that it knows; None: what the table of models says.

    Raises:
        UnsupportedError: names the first part that is not, its type and what is known.
    """
    _check(who, "a network", network, ARITHMETICS.values())
    for name, population in network.populations.items():
        if type(population) is not Input and not _computes(who, type(population), neurons):
            _refuse(who, f"population '{name}'", population, (Input, *_told(who, neurons)))
    for p in network.projections:
        _check(who, f"projection '{p.name}'", p, PROJECTIONS)
        for part in (p.connection, *(p.connection.parts if type(p.connection) is Chain else ())):
            _check(who, f"the connection of '{p.name}'", part, CONNECTIONS)


def _check(who: str, thing: str, part: Any, known: Collection[type]) -> None:
    if type(part) not in known:
        _refuse(who, thing, part, known)


def _refuse(who: str, thing: str, part: Any, known: Collection[type]) -> NoReturn:
    names = ", ".join(sorted(kind.__name__ for kind in known))
    raise UnsupportedError(
        who, f"{thing} of type {type(part).__name__}", f"it knows {names} by their exact type; use one of these"
    )


def _computes(who: str, kind: type, neurons: Collection[type] | None) -> bool:
    if neurons:
        return kind in neurons
    model = model_of(kind)
    return model is not None and (who in model.known_to or (who not in ALL and OTHERS in model.known_to))


def _told(who: str, neurons: Collection[type] | None) -> Collection[type]:
    """The types that a refusal names."""
    return neurons or [kind for kind in models() if _computes(who, kind, None)]
