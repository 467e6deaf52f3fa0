"""The protocols of continual learning, as named data; others' by the entry-point group ``dlm_snn.protocols``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dlm_snn import plugins
from dlm_snn.errors import DlmError, nearest

GROUP = "dlm_snn.protocols"
SPLIT = "split/"


@dataclass(frozen=True)
class Protocol:
    """What is learned in which order, and what the learner is told.

    Attributes:
        name: dataset/scenario/form.
        dataset: name of an entry point of the group dlm_snn.datasets.
        kind: "split": each task brings its own classes; "permuted": the same classes, the features in another order.
        n_tasks: how many; None: with two classes each, or with one where two do not make two tasks or more.
        scenario: "class": which of all classes; "domain": which class, whatever the task; "task": which class of the
            task, which is named.
        random_order: of the classes, by seed; else 0, 1, 2, ...
        passes: how often a task's samples are shown.
        boundary: the beginning of a task is told at training.
        label_at_test: the task is told at test.
    """

    name: str
    dataset: str
    kind: Literal["split", "permuted"]
    n_tasks: int | None
    scenario: Literal["class", "domain", "task"] = "class"
    random_order: bool = True
    passes: int = 1
    boundary: bool = False
    label_at_test: bool = False


PROTOCOLS: dict[str, Protocol] = {
    "P1": Protocol("split-mnist/class/seed", "mnist", "split", 5, random_order=False, passes=3, boundary=True),
    "P2": Protocol("split-mnist/class/online", "mnist", "split", 5),
    "P3": Protocol("perm-mnist/domain/10", "mnist", "permuted", 10, scenario="domain"),
    "P4": Protocol("split-mnist/class/10x1", "mnist", "split", 10),
    "P5": Protocol("split-cifar10/class/5x2", "cifar10", "split", 5),
    "P6": Protocol("split-mnist/task", "mnist", "split", 5, scenario="task", boundary=True, label_at_test=True),
    "cifar100-10": Protocol("split-cifar100/class/10x10", "cifar100", "split", 10),
    "cifar100-20": Protocol("split-cifar100/class/20x5", "cifar100", "split", 20),
    "digits": Protocol("split-digits/class/online", "digits", "split", 5),
    "digits-task": Protocol("split-digits/task", "digits", "split", 5, "task", boundary=True, label_at_test=True),
    "clusters": Protocol("split-clusters/class/online", "clusters", "split", 5),
}
"""P1 to P6 by their short names. P1 is the seed study's own; a learner that needs boundaries where a protocol does not
tell them is told them all the same, and its row says so."""


def named_protocol(name: str) -> tuple[str, Protocol]:
    """A protocol by its short or its full name, with its short name.

    ``split/DATASET`` is any dataset of the group ``dlm_snn.datasets``, split by class: online, without boundaries, in
    random order.

    Raises:
        DlmError: no such protocol.
    """
    short = next((short for short, one in PROTOCOLS.items() if name in (short, one.name)), None)
    if short is not None:
        return short, PROTOCOLS[short]
    if name.startswith(SPLIT):
        dataset, known = name.removeprefix(SPLIT), plugins.names("dlm_snn.datasets")
        if dataset not in known:
            raise DlmError(f"no protocol '{name}': no dataset '{dataset}'; {nearest(dataset, known)}")
        return name, Protocol(name, dataset, "split", None)
    others = plugins.instances(GROUP, Protocol)
    for short, one in others.items():
        if name in (short, one.name):
            return short, one
    known_names = [named for part in (PROTOCOLS, others) for short, one in part.items() for named in (short, one.name)]
    raise DlmError(f"no protocol '{name}'; {nearest(name, known_names)}")


def protocol(name: str) -> Protocol:
    """A protocol by its short or its full name; see ``named_protocol``."""
    return named_protocol(name)[1]
