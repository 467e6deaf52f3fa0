"""``dlm-snn simulate``: a stored network on test samples, in one simulator."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from dlm_snn.verbs.data_options import add_data_options, add_read_out, chosen_split, only_input
from dlm_snn.verbs.verb import Verb, add_replace


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("network", type=Path, help="a float or integer network (NAME.json with NAME.safetensors)")
    parser.add_argument("--backend", default="reference", help="which simulator (default: reference)")
    parser.add_argument("--samples", type=int, default=20, help="test samples (default: 20)")
    parser.add_argument("--steps", type=int, default=20, help="steps of a sample (default: 20)")
    parser.add_argument("--record", default="s,u,v", help="of s, u, v (default: s,u,v)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the recording goes (default: BACKEND)")
    add_read_out(parser)
    add_replace(parser, "a recording")
    add_data_options(parser)


def _run(arguments: Namespace) -> int:
    from dlm_snn.backends import run
    from dlm_snn.errors import DlmError
    from dlm_snn.files.atomic import check, writing_folder
    from dlm_snn.networks import artifact
    from dlm_snn.runs.metrics import (
        OF_V,
        accuracy,
        check_readable,
        firing,
        silent_populations,
        synaptic_operations,
        unanswered,
        verdict,
    )
    from dlm_snn.runs.recording_files import RECORDING, save_recording

    if arguments.samples < 1:
        raise DlmError(f"--samples {arguments.samples}: at least 1")
    folder = arguments.out or Path(arguments.backend)
    check(folder, RECORDING, arguments.replace)
    network = artifact.load(arguments.network)
    check_readable(network, arguments.read_out)
    record = ("s", *(key for key in arguments.record.split(",") if key != "s"))
    if arguments.read_out in OF_V and "v" not in record:
        raise DlmError(f"--read-out {arguments.read_out} reads v; --record {arguments.record} leaves it out")
    data = chosen_split(arguments)
    stimulus = {only_input(network): data.x_test[: arguments.samples]}
    recording = run(network, stimulus, arguments.steps, record=record, backend=arguments.backend)
    with writing_folder(folder, RECORDING, arguments.replace) as aside:
        save_recording(recording, aside, arguments.backend)
    for name in recording.rasters:
        print(f"{name}: {firing(recording, name)}")
    print(f"{synaptic_operations(recording, stimulus):.0f} synaptic operations per sample")
    right = accuracy(recording, data.y_test[: arguments.samples], arguments.read_out)
    never = silent_populations({name: raster.rate for name, raster in recording.rasters.items()}, network)
    quiet = unanswered(recording, arguments.read_out)
    told = verdict(right, f"{recording.n_samples} test samples", quiet, never)
    print(f"{told}; recording: {folder}")
    return 0


simulate = Verb("run a stored network on test samples, in one simulator", _arguments, _run)
