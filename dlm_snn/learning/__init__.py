"""Continual learners, and the learning rules of chips; nothing here knows Lava or a chip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Declaration": "learner",
    "Learner": "learner",
    "LearningRule": "on_chip.rule",
    "PlasticMatrix": "on_chip.matrix",
    "Setting": "learner",
    "Trace": "on_chip.rule",
    "check_rule": "on_chip.limits",
    "compensated": "on_chip.limits",
    "make_columns": "columns.learner",
    "make_columns_in_floats": "columns.in_floats",
    "make_columns_on_host": "columns.on_host",
    "make_first_readout": "readout.learner",
    "make_joint_readout": "readout.learner",
    "make_learner": "making",
    "make_readout": "readout.learner",
}

__all__ = [
    "Declaration",
    "Learner",
    "LearningRule",
    "PlasticMatrix",
    "Setting",
    "Trace",
    "check_rule",
    "compensated",
    "make_columns",
    "make_columns_in_floats",
    "make_columns_on_host",
    "make_first_readout",
    "make_joint_readout",
    "make_learner",
    "make_readout",
]

if TYPE_CHECKING:
    from dlm_snn.learning.columns.in_floats import make_columns_in_floats
    from dlm_snn.learning.columns.learner import make_columns
    from dlm_snn.learning.columns.on_host import make_columns_on_host
    from dlm_snn.learning.learner import Declaration, Learner, Setting
    from dlm_snn.learning.making import make_learner
    from dlm_snn.learning.on_chip.limits import check_rule, compensated
    from dlm_snn.learning.on_chip.matrix import PlasticMatrix
    from dlm_snn.learning.on_chip.rule import LearningRule, Trace
    from dlm_snn.learning.readout.learner import make_first_readout, make_joint_readout, make_readout

__getattr__, __dir__ = exports(__name__, _HOME)
