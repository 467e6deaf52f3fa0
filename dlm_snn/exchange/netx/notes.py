"""What ``write_net`` notes beside the layers, and the network that is meant by both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.files.reading import one_line, parse_json
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection

NOTE = "dlm_snn"
"""Attribute of the file in which ``write_net`` keeps what the format has no place for; netx does not read it."""


def as_noted(network: IntegerNetwork, note: Any, path: Path) -> IntegerNetwork:
    """The network with what the format has no place for, as ``write_net`` noted it.

    The file's numbers stay as they are; only their writing (exponents, modes), scales, names and order come back.

    Raises:
        DlmError: a note of other layers, or one whose exponents the numbers no longer have.
    """
    if note is None:
        return network
    try:
        noted: Mapping[str, Any] = parse_json(note, "the note", "write it again")
        names = dict(zip(network.populations, noted["chain"], strict=True))
        populations = {
            names[old]: _rewritten(population, noted["populations"][names[old]])
            for old, population in network.populations.items()
        }
        modes = noted["projections"]
        projections = {
            f"{p.pre}->{p.post}": _in_mode(p, **modes[f"{p.pre}->{p.post}"])
            for p in (replace(q, pre=names[q.pre], post=names[q.post]) for q in network.projections)
        }
        return IntegerNetwork(
            {name: populations[name] for name in noted["populations"]}, [projections[n] for n in modes]
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DlmError(
            f"{path}: its note '{NOTE}' does not fit its layers ({one_line(error)}); delete that attribute"
        ) from error


def _rewritten(population: Any, noted: Mapping[str, Any]) -> Any:
    if isinstance(population, Input):
        return replace(population, **noted)
    bias = np.asarray(population.bias)
    if noted["one_bias"] and bias.size and not np.ptp(bias):
        bias = bias.flat[0]
    exponent = noted["bias_exp"]
    if np.any(bias % 2**exponent):
        raise DlmError(f"bias_exp {exponent} would change the bias {bias[bias % 2**exponent != 0].flat[0]}")
    return replace(population, bias_mant=bias // 2**exponent, bias_exp=exponent, scale=noted["scale"])


def _in_mode(projection: IntegerProjection, weight_exp: int, num_weight_bits: int, sign_mode: Any) -> IntegerProjection:
    """The same sums with another exponent: weight * 2^weight_exp stays."""
    shift = projection.weight_exp - weight_exp
    weight = projection.connection.weight
    if shift < 0 and np.any(weight % 2**-shift):
        raise DlmError(f"weight_exp {weight_exp} would change weights of {projection.name}")
    return replace(
        projection,
        connection=projection.connection.with_weight(weight << shift if shift > 0 else weight >> -shift),
        weight_exp=weight_exp,
        num_weight_bits=num_weight_bits,
        sign_mode=sign_mode,
    )
