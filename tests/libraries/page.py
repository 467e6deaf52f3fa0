"""What the tables make of other libraries' neurons, the end of docs/neurons.md. ``python -m tests.libraries.page``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import dlm_snn as dlm
from tests.libraries.make_golden import NAMES
from tests.libraries.nets import LAYERS, Net, sample, spikes_of
from tests.libraries.trying import GOLDEN, taken, tried


def tables() -> str:
    """The tables of all libraries."""
    return "\n".join(line for library in NAMES for line in _table(library))


def _table(library: str) -> Iterator[str]:
    yield f"**{library} {GOLDEN[library]['version']}.**\n"
    heads = ["neuron", "du", "dv", "spikes where", "reset", "to itself", "the module's v", "spikes, all equal"]
    yield f"| {' | '.join([*heads, 'others in float32'])} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for case, rounded in GOLDEN[library]["float32"].items():
        yield f"| {' | '.join([case, *_told(library, case), str(rounded)])} |"
    yield "\n| refused | in these words |"
    yield "|---|---|"
    with tried(library) as found:
        for case, (module, _) in found.refused.items():
            yield f"| {case} | {_refusal(Net(module, found.call))} |"
    yield ""


def _told(library: str, case: str) -> list[str]:
    """The population of the last layer, and how many spikes of the library it was compared with."""
    imported, kept = taken(library, case), GOLDEN[library]["taken"][case]
    neuron: Any = imported.network.neurons["out"]
    counts = [spikes_of(text, LAYERS[layer]) for layer, text in kept.items() if isinstance(text, str)]
    back = [p for p in imported.network.projections if p.pre == p.post == "out"]
    parameters = [_number(neuron.du), _number(neuron.dv)]
    if isinstance(neuron, dlm.LI):
        return [*parameters, "never", "none", "-", "v", f"{sum(int(x.sum()) for x in counts):,}, and v"]
    membrane = imported.proof.layers[1].membrane or "v"
    loops = [f"{_loop(p.connection)}, {p.delay} step{'s' * (p.delay > 1)} later" for p in back]
    fires = f"v {'>' if library == 'norse' else '>='} {_number(_shown(library, neuron.v_threshold))}"
    compared = f"{sum(int(x.sum()) for x in counts):,}"
    return [*parameters, fires, neuron.reset, "; ".join(loops) or "-", membrane, compared]


def _shown(library: str, threshold: Any) -> Any:
    """The module's own, where the population's lies a double below it."""
    return threshold if library == "norse" else np.nextafter(threshold, np.inf)


def _number(values: Any) -> str:
    found = np.unique(values)
    return f"{found[0]:.4g}" if found.size == 1 else f"{found[0]:.4g} to {found[-1]:.4g}"


def _loop(connection: Any) -> str:
    return "a matrix" if isinstance(connection, dlm.Dense) else _number(connection.weight)


def _refusal(net: Net) -> str:
    try:
        dlm.from_torch(net, sample())
    except dlm.DlmError as error:
        return str(error)
    raise ValueError("it was taken")


if __name__ == "__main__":
    print(tables(), end="")
