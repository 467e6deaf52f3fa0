"""The options that choose test samples, shared by the verbs that need some."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any


def add_data_options(parser: ArgumentParser) -> None:
    """Add --dataset, --data-dir, --split-seed."""
    parser.add_argument("--dataset", default="digits", help="whose samples are fed in (default: digits)")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder that holds it")
    parser.add_argument("--split-seed", type=int, default=0, help="of the hold-out of a one-pool dataset (default: 0)")


def add_read_out(parser: ArgumentParser) -> None:
    """Add --read-out."""
    told = "how the class is read: spikes, or largest, mean or last of v (default: spikes, if it has any)"
    parser.add_argument("--read-out", metavar="KIND", help=told)


def chosen_split(arguments: Namespace) -> Any:
    """The training and test part that the options name."""
    from dlm_snn.config import load_config
    from dlm_snn.tasks.parts import DataConfig, split

    values = {"dataset": arguments.dataset, "split_seed": arguments.split_seed, "data_dir": arguments.data_dir}
    return split(load_config(DataConfig, None, [f"{k}={v}" for k, v in values.items() if v is not None]))


def only_input(network: Any) -> str:
    """The one Input of a network to which a dataset's samples go; constants of its own feed themselves.

    Raises:
        DlmError: it has none or several.
    """
    from dlm_snn.errors import DlmError

    names = [name for name, source in network.inputs.items() if not source.constant]
    if len(names) != 1:
        raise DlmError(f"the network has the Inputs {names}; the command line feeds networks with one")
    return names[0]
