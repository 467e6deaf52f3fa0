"""``dlm-snn energy``: what a sample costs, estimated by published energies; or how far such estimates are off."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.verbs.verb import Verb

ALL = "all"
DEFAULT = "loihi1-davies2018"


def _arguments(parser: ArgumentParser) -> None:
    what = "a run, a folder of 'dlm-snn simulate', or a network (NAME.json, NAME.net)"
    parser.add_argument("target", type=Path, nargs="?", help=what)
    parser.add_argument("--profile", default=DEFAULT, help=f"whose energies, or all (default: {DEFAULT})")
    parser.add_argument("--simulator", metavar="NAME", help="whose rasters of a run (default: integers, if it has any)")
    parser.add_argument("--step-time", type=float, metavar="SECONDS", help="of a chip, as you measured it")
    parser.add_argument(
        "--learning-events", type=float, metavar="N", help="per learned sample: synapses at which a rule is evaluated"
    )
    parser.add_argument("--measure", action="store_true", help="run it here, and read this machine's own counters")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--calibration", action="store_true", help="instead: published points, estimated and measured")
    dense = parser.add_mutually_exclusive_group()
    told = "of a dense network on as many samples, 0 to 1"
    dense.add_argument("--dense-accuracy", type=float, metavar="SHARE", help=told)
    dense.add_argument("--control", action="store_true", help="train a run's dense control, to hold accuracy beside it")
    fed = parser.add_argument_group("what a network is fed")
    fed.add_argument("--stimulus", type=Path, metavar="FILE", help="array FILE.npy (sample, step, neuron), or a raster")
    fed.add_argument("--dataset", help="test samples of a dataset instead")
    fed.add_argument("--data-dir", type=Path, metavar="DIR", help="folder that holds data")
    fed.add_argument("--split-seed", type=int, default=0, help="of the hold-out of a one-pool dataset (default: 0)")
    fed.add_argument("--samples", type=int, help="of the dataset (default: 20)")
    fed.add_argument("--steps", type=int, help="of a sample (default: the stimulus's; of a dataset 20)")
    fed.add_argument("--backend", help="which simulator (default: reference)")


def _run(arguments: Namespace) -> int:
    import json

    from dlm_snn.errors import DlmError
    from hardware.profiles import PROFILES, profile

    profiles = list(PROFILES.values()) if arguments.profile == ALL else [profile(arguments.profile)]
    if arguments.calibration:
        return _calibrated(arguments, profiles)
    if arguments.target is None:
        raise DlmError("energy needs a run, a recording or a network; or --calibration")
    from hardware.cost import cost
    from hardware.operations import count
    from hardware.verbs.workload import workload

    found = workload(arguments)
    operations = count(found.recording, found.stimulus)
    costs = cost(
        found.network,
        operations,
        profiles,
        arguments.learning_events,
        arguments.step_time,
        _against(arguments, found),
        _measured(arguments, found) if arguments.measure else None,
    )
    if arguments.json:
        print(json.dumps({"of": found.title, **costs.to_json()}, indent=1))
    else:
        print("\n".join([found.title, *costs.lines()]))
    return 0


def _against(arguments: Namespace, found: Any) -> Any:
    """The dense network's accuracy beside this one's; None: nobody asked."""
    from dlm_snn.errors import DlmError
    from hardware.iso_accuracy import against_dense

    if arguments.dense_accuracy is None and not arguments.control:
        return None
    if found.right is None:
        raise DlmError(f"the accuracy of {arguments.target} is not known; give a run, or --dataset and spiking outputs")
    if arguments.control:
        from hardware.verbs.control import control_accuracy

        if found.run is None:
            raise DlmError(f"--control trains what a run's configuration says, and {arguments.target} is no run")
        return against_dense(found.right[0], control_accuracy(found.run, found.network, found.data), found.right[1])
    return against_dense(found.right[0], arguments.dense_accuracy, found.right[1])


def _measured(arguments: Namespace, found: Any) -> Any:
    """Run it once more on this machine, and measure that."""
    from dlm_snn.backends import run
    from hardware.measured import Meter

    backend = arguments.backend or "reference"
    with Meter() as meter:
        run(found.network, found.stimulus, found.recording.n_steps, backend=backend)
    return meter.result


def _calibrated(arguments: Namespace, profiles: list[Any]) -> int:
    import json

    from dlm_snn.errors import DlmError
    from hardware.calibration import calibration, told

    if arguments.target is not None:
        raise DlmError(f"--calibration is of published points; leave {arguments.target} out")
    networks = _at_hand(arguments.data_dir)
    tables = {by: calibration(by, networks) for by in profiles}
    if arguments.json:
        print(json.dumps([row.to_json() for rows in tables.values() for row in rows], indent=1))
        return 0
    for by, rows in tables.items():
        print(f"profile {by.name}, {by.title}: {by.boundary}; ratio: measured / estimated")
        print("\n".join([*told(rows), ""]))
    return 0


def _at_hand(data_dir: Path | None) -> dict[str, Any]:
    """The networks of published points that lie in a folder of data."""
    from dlm_snn.exchange.formats import read_path
    from dlm_snn.tasks.download import places
    from hardware.published import POINTS

    found = {}
    for point in POINTS:
        files = [folder / point.at_hand for folder in places(data_dir).values()] if point.at_hand else []
        file = next((one for one in files if one.is_file()), None)
        if file is not None:
            found[point.name] = read_path(file).network
    return found


energy = Verb("what a sample costs: operations, joules by published energies, time", _arguments, _run)
