"""``dlm-snn convert``: a float network to integers, with its loss budget."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from dlm_snn.verbs.data_options import add_data_options, add_read_out, chosen_split, only_input
from dlm_snn.verbs.verb import Verb, add_replace


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("network", type=Path, help="a float network (NAME.json with NAME.safetensors)")
    parser.add_argument("--out", type=Path, default=Path("integer"), metavar="NETWORK", help="default: integer")
    parser.add_argument("--bits", type=int, default=8, help="of a weight, 8 down to 3 (default: 8)")
    parser.add_argument("--samples", type=int, default=300, help="training samples to measure losses on (default: 300)")
    parser.add_argument("--steps", type=int, default=20, help="steps of a sample (default: 20)")
    add_read_out(parser)
    add_replace(parser, "an integer network")
    add_data_options(parser)


def _run(arguments: Namespace) -> int:
    from dlm_snn.conversion.quantization import quantize
    from dlm_snn.errors import DlmError
    from dlm_snn.networks import artifact
    from dlm_snn.networks.network import IntegerNetwork, Network
    from dlm_snn.runs.metrics import answering

    artifact.check(arguments.out, IntegerNetwork, arguments.replace)
    network = artifact.load(arguments.network)
    if not isinstance(network, Network):
        raise DlmError(f"{arguments.network} holds integers already")
    data = chosen_split(arguments)
    samples = {only_input(network): data.x_train[: arguments.samples]}
    classes = network.neurons[answering(network)].n
    labels = data.y_train[: arguments.samples] if data.dataset.n_classes <= classes else None
    integer, report = quantize(network, arguments.bits, samples, arguments.steps, labels, arguments.read_out)
    written = artifact.save(integer, arguments.out, arguments.replace, report.to_dict())
    print(report)
    if labels is None:
        wanted = f"{data.dataset.name} has {data.dataset.n_classes} classes"
        print(f"no accuracy: {wanted}, the network has {classes} output neurons")
    print(f"integer network: {written}")
    return 0


convert = Verb("convert a float network to integers, with its loss budget", _arguments, _run)
