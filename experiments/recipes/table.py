"""The experiments by dataset, and a run's configuration from the command line."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from dlm_snn.config import load_config, merged, parsed_override
from dlm_snn.errors import DlmError, nearest
from dlm_snn.physics.weights.trainer import DynamicsConfig
from experiments.recipes import (
    competition,
    competition_settings,
    continual_p2,
    continual_p3,
    continual_p4,
    continual_p5,
    continual_p6,
    digits,
    dissipation,
    dlm,
    mnist,
    split_digits,
    temperature,
)
from experiments.recipes.config import RunConfig
from experiments.recipes.idle import refuse_idle

DATASETS: dict[str, ModuleType] = {"digits": digits, "mnist": mnist}
"""The recipes by dataset; each has the plain one and, over it, the DLM's."""
EXPERIMENTS: dict[str, ModuleType] = {
    **DATASETS,
    "competition": competition,
    "competition_settings": competition_settings,
    "dlm": dlm,
    "dissipation": dissipation,
}
CONTINUAL: dict[str, ModuleType] = {
    "split_digits": split_digits,
    "continual_p2": continual_p2,
    "continual_p3": continual_p3,
    "continual_p4": continual_p4,
    "continual_p5": continual_p5,
    "continual_p6": continual_p6,
}
"""Experiments of continual learning: each has CELLS, variant -> Entry, and SEEDS."""
SWEEPS: dict[str, ModuleType] = {"temperature": temperature}
"""Sweeps over temperature and size, for a finite-size check: each has VARIANTS over SIZES and TEMPERATURES."""


def chosen_config(arguments: Namespace) -> RunConfig:
    """The dataset's recipe, over it the file, over it the single values.

    Raises:
        DlmError: an unknown key, variant or value, one that changes nothing here, or an unreadable file.
    """
    base = RunConfig()
    dynamics = arguments.dynamics or ("dlm" if arguments.config is None else None)
    if arguments.dataset in DATASETS or (arguments.dataset is None and arguments.config is None):
        dataset = arguments.dataset or "digits"
        base = variant_config(dataset, arguments.variant, DATASETS[dataset].DLM if dynamics == "dlm" else {})
    elif arguments.variant is not None:
        raise DlmError(f"--variant {arguments.variant} goes with --dataset; {nearest('', DATASETS)}")
    overrides = list(arguments.set)
    if arguments.dynamics == "plain":
        parsed = ((text, *parsed_override(text)) for text in overrides)
        asked = next(
            (text for text, key, value in parsed if key.split(".")[0] == "dynamics" and value is not None), None
        )
        if asked is not None:
            raise DlmError(
                f"--set {asked}: plain training is by AdamW and has no such term; leave out --dynamics plain"
            )
        overrides.append("dynamics=null")
    if arguments.data_dir is not None:
        overrides.append(f"data.data_dir={arguments.data_dir}")
    if arguments.dataset is not None:
        overrides.append(f"data.dataset={arguments.dataset}")
    config = load_config(RunConfig, arguments.config, overrides, base)
    if dynamics == "dlm" and config.dynamics is None:
        config = config.model_copy(update={"dynamics": DynamicsConfig()})
    refuse_idle(arguments.set, config)
    return config


def variant_config(
    experiment: str, variant: str | None = None, dynamics: Mapping[str, Any] = MappingProxyType({})
) -> RunConfig:
    """The configuration of one variant of an experiment, or of those beside it (``STOCK``).

    Args:
        experiment: its name.
        variant: None: the recipe as it stands.
        dynamics: over the recipe and under the variant.

    Raises:
        DlmError: no such variant.
    """
    module = {**EXPERIMENTS, **SWEEPS}[experiment]
    known = {**module.VARIANTS, **getattr(module, "STOCK", {})}
    if variant is not None and variant not in known:
        raise DlmError(f"{experiment} has no variant '{variant}'; {nearest(variant, known)}")
    changes = {} if variant is None else known[variant]
    return RunConfig.model_validate(merged(merged(module.CONFIG.model_dump(), dynamics), changes))


def known_experiment(name: str) -> ModuleType:
    """The module of an experiment, of either kind.

    Raises:
        DlmError: no such experiment.
    """
    known = {**EXPERIMENTS, **CONTINUAL, **SWEEPS}
    if name not in known:
        raise DlmError(f"no experiment '{name}'; {nearest(name, known)}")
    return known[name]
