"""The dense control of a run: rectified linear units of the same sizes, trained on the same data for as long."""

from __future__ import annotations

from typing import Any


def control_accuracy(run: Any, network: Any, data: Any) -> float:
    """Its accuracy on the run's test samples.

    Args:
        run: the RunFolder, whose configuration says how it was trained.
        network: feed-forward, layer after layer.
        data: what it was trained and tested on.

    Raises:
        DlmError: a network that is no chain of layers.
    """
    import numpy as np

    from dlm_snn.config import validated
    from dlm_snn.files.yaml_text import parse_yaml
    from dlm_snn.training.loop import TrainingConfig
    from dlm_snn.training.relu import train_relu

    settings = parse_yaml(run.config, str(run.path))
    training = validated(TrainingConfig, settings.get("training") or {}, f"{run.path}: training.")
    sizes = [network.populations[name].n for name in chain(network)]
    rng = np.random.default_rng((settings.get("network") or {}).get("seed", 0))
    relu, _ = train_relu(sizes, data.x_train, data.y_train, training, rng, scale=data.dataset.scale)
    return float(np.mean(relu.predict(data.x_test) == data.y_test))


def chain(network: Any) -> list[str]:
    """Populations from the Input to the answer, each projecting to the next alone.

    Raises:
        DlmError: loops, branches, or more than one Input.
    """
    from dlm_snn.errors import DlmError

    behind = {projection.pre: projection.post for projection in network.projections}
    start = [name for name in network.inputs if name in behind]
    names = start[:1]
    while names and names[-1] in behind and len(names) <= len(network.populations):
        names.append(behind[names[-1]])
    whole = len(names) == len(network.populations) == len(network.projections) + 1
    if len(start) != 1 or not whole or set(names) != set(network.populations):
        raise DlmError("the network is no chain of layers, and has no dense control; give --dense-accuracy")
    return names
