"""``dlm-snn deploy``: a network onto a Loihi 2, or into a bundle for somebody who has one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.verbs.verb import Verb, add_replace

TARGETS = ("loihi2",)
STEPS, SAMPLES = 16, 100
NUMBERS = {"samples": 1, "steps": 1, "chips": 1, "split_seed": 0, "input_steps": 0, "output_steps": 0}
"""Option -> the least that it may be."""
SETTINGS = ("host", "partition", "board", "generation", "input_steps", "output_steps")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("network", type=Path, help="a run, or an integer network (NAME.json, NAME.net)")
    parser.add_argument("--target", default="loihi2", help="which chip (default: loihi2)")
    parser.add_argument("--dry-run", action="store_true", help="write the bundle, and run nothing")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="of the bundle (with --dry-run: NETWORK-loihi2)")
    parser.add_argument("--samples", type=int, help=f"windows one after another (default: {SAMPLES})")
    parser.add_argument("--steps", type=int, help=f"of a window (default: the run's; else {STEPS})")
    group = parser.add_argument_group("what is fed in (default: the run's test samples)")
    group.add_argument("--stimulus", type=Path, metavar="FILE.npz", help="integers by Input, (sample, [step,] neuron)")
    group.add_argument("--dataset", help="whose test samples (default: the run's; else digits)")
    group.add_argument("--data-dir", type=Path, metavar="DIR", help="folder that holds it")
    group.add_argument("--split-seed", type=int, help="of the hold-out of a one-pool dataset")
    group = parser.add_argument_group("the board")
    group.add_argument("--chips", type=int, default=1, metavar="N", help="that it has (default: 1)")
    group.add_argument("--host", metavar="ADDRESS", help="of a board (default: NXSDKHOST, else SLURM)")
    group.add_argument("--partition", metavar="NAME", help="of SLURM")
    group.add_argument("--board", metavar="NAME", help="of SLURM")
    group.add_argument("--generation", metavar="NAME", help="N3B2, N3B3 (default), N3C1 or N3D1")
    group.add_argument(
        "--input-steps", type=int, metavar="N", help="from host to chip, beyond a simulator's (default: 0)"
    )
    group.add_argument("--output-steps", type=int, metavar="N", help="from chip to host (default: 0)")
    add_replace(parser, "a bundle")


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError
    from hardware.loihi2.bundle import write_bundle
    from hardware.loihi2.prepared import prepared

    out = _checked(arguments)
    network, config = _network(arguments.network)
    stimulus, n_steps = _fed(arguments, network, config)
    ready = prepared(network, stimulus, n_steps, arguments.chips)
    if not any(map(len, ready.expected.values())):
        raise DlmError(
            f"0 spikes expected in {ready.n_windows} windows; nothing would be compared: feed something else"
        )
    if arguments.dry_run and out is not None:
        write_bundle(ready, out, arguments.replace)
        print(f"{out}: {ready.told}")
        return 0
    return _deployed(arguments, ready, out)


def _checked(arguments: Namespace) -> Path | None:
    """The folder of the bundle, looked at before the work as all options are."""
    from dlm_snn.errors import DlmError, nearest
    from hardware.loihi2.board import GENERATIONS
    from hardware.loihi2.bundle import check_bundle

    if arguments.target not in TARGETS:
        raise DlmError(f"no target '{arguments.target}'; {nearest(arguments.target, TARGETS)}")
    if arguments.generation not in (None, *GENERATIONS):
        raise DlmError(f"no --generation '{arguments.generation}'; {nearest(arguments.generation, GENERATIONS)}")
    for option, least in NUMBERS.items():
        value = getattr(arguments, option)
        if value is not None and value < least:
            raise DlmError(f"--{option.replace('_', '-')} {value}: at least {least}")
    given = next((name for name in SETTINGS if getattr(arguments, name) is not None), None)
    if arguments.dry_run and given is not None:
        raise DlmError(f"--{given.replace('_', '-')} is for a run on a board; leave it out with --dry-run")
    out: Path | None = arguments.out
    if out is None and arguments.dry_run:
        out = Path(f"{arguments.network.stem}-{arguments.target}")
    if out is not None:
        check_bundle(out, arguments.replace)
    return out


def _deployed(arguments: Namespace, ready: Any, out: Path | None) -> int:
    """Run it on a board."""
    from dlm_snn.files.temporary import temporary_folder
    from hardware.loihi2.bundle import write_bundle
    from hardware.loihi2.launch import check_board, run_bundle

    check_board(arguments.host, ready.told)
    settings = {name.replace("_", "-"): getattr(arguments, name) for name in SETTINGS}
    with temporary_folder() as aside:
        folder = out or aside / "bundle"
        write_bundle(ready, folder, arguments.replace)
        code = run_bundle(folder, settings)
        if out is None:
            print("the bundle was a temporary one; --out FOLDER keeps it, and the spikes in it")
        return code


def _network(path: Path) -> tuple[Any, dict[str, Any]]:
    """An integer network; of a run its integers, and its configuration."""
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.format import Options
    from dlm_snn.exchange.formats import read_path
    from dlm_snn.files.kinds import check_kind
    from dlm_snn.files.reading import read_text
    from dlm_snn.files.yaml_text import parse_yaml
    from dlm_snn.networks.network import IntegerNetwork
    from dlm_snn.runs.run_folder import CONFIG, is_run, read_network

    if is_run(path):
        config = parse_yaml(read_text(path / CONFIG), str(path / CONFIG))
        check_kind(config, {"data?": {"*": object}, "simulation?": {"n_steps?": int}}, path / CONFIG)
        return read_network(path, "integer"), config
    network = read_path(path, Options(None)).network
    if not isinstance(network, IntegerNetwork):
        held = "no network; give a run or an integer network"
        if network is not None:
            held = "floats, and a chip takes integers; 'dlm-snn convert' makes them"
        raise DlmError(f"{path} holds {held}")
    return network, {}


def _fed(arguments: Namespace, network: Any, config: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The stimulus and the steps of a window."""
    from dlm_snn.config import load_config
    from dlm_snn.errors import DlmError
    from dlm_snn.files.packed import read_npz
    from dlm_snn.tasks.parts import DataConfig, split
    from dlm_snn.verbs.data_options import only_input

    n_steps = arguments.steps or config.get("simulation", {}).get("n_steps", STEPS)
    chosen = {key: getattr(arguments, key) for key in ("dataset", "data_dir", "split_seed")}
    chosen = {key: value for key, value in chosen.items() if value is not None}
    if arguments.stimulus is not None:
        if chosen:
            raise DlmError(f"--stimulus {arguments.stimulus} beside --{min(chosen)}; give one")
        held = read_npz(arguments.stimulus, missing=f"no file {arguments.stimulus}; give an npz of arrays by Input")
        there = min((len(values) if values.ndim else 0 for values in held.values()), default=0)
        samples = _samples(arguments, there, arguments.stimulus)
        return {name: values[:samples] if values.ndim else values for name, values in held.items()}, n_steps
    values = {"dataset": "digits", **config.get("data", {}), **chosen}
    data = split(load_config(DataConfig, None, [f"{key}={v}" for key, v in values.items() if v is not None]))
    samples = _samples(arguments, len(data.x_test), data.dataset.name)
    return {only_input(network): data.x_test[:samples]}, n_steps


def _samples(arguments: Namespace, there: int, where: object) -> int:
    """How many at most."""
    from dlm_snn.errors import DlmError

    if arguments.samples is not None and arguments.samples > there:
        raise DlmError(f"--samples {arguments.samples}: {where} has {there}")
    return arguments.samples or SAMPLES


deploy = Verb("put a network on a Loihi 2, or into a bundle for somebody who has one", _arguments, _run)
