"""Learners by name: their options checked, against what the learner says it takes, before any data are read."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any, get_type_hints

import numpy as np

from dlm_snn import plugins
from dlm_snn.errors import DlmError, nearest
from dlm_snn.files.own_files import OwnFile, own_file
from dlm_snn.learning.learner import Learner, MakeLearner, Setting

GROUP = "dlm_snn.learners"
_GIVEN = 2
"""The first two parameters of every learner, setting and rng, are no options."""
STORED_AS = {"learning_rate": "lr", "optimizer": "optimiser", "gray": "grey"}
"""What options of our learners are called -> what rows have called them from the first on, and still do."""


def learner_file(text: str) -> OwnFile | None:
    """The file of a learner that is given as FILE.py:NAME; None: it is the name of an entry point."""
    return own_file(text, "the class or function that makes the learner")


def maker(learner: str | OwnFile) -> MakeLearner:
    """What makes a learner: behind an entry point, or in a file of one's own, FILE.py:NAME.

    Raises:
        DlmError: no such learner, file or name; a file that cannot be imported.
    """
    own = learner_file(learner) if isinstance(learner, str) else learner
    return plugins.load(GROUP, str(learner)) if own is None else own.load()


def checked_options(learner: str | OwnFile, options: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a learner, by the names that rows have: those given, and for the others its own defaults.

    A learner that takes any option (``**options``) checks them itself when it is made.

    Raises:
        DlmError: no such learner, no such option, one without a default that is not given, or a value of another type
            than the learner's annotation.
    """
    make, name = maker(learner), str(learner)
    if str(getattr(make, "__module__", "")).startswith("dlm_snn."):
        options = _as_stored(name, options)
    named = {p.name: p for p in _parameters(make) if p.kind is not inspect.Parameter.VAR_KEYWORD}
    if takes_any(make):
        return dict(options)
    for option in options:
        if option not in named:
            raise DlmError(f"learner '{name}' has no option '{option}'; {_hint(option, named)}")
    missing = [p.name for p in named.values() if p.default is p.empty and p.name not in options]
    if missing:
        raise DlmError(f"learner '{name}' needs the option '{missing[0]}'; give --set {missing[0]}=VALUE")
    types = _types(make)
    given = {option: _typed(name, option, value, types.get(option, Any)) for option, value in options.items()}
    return {**{p.name: p.default for p in named.values() if p.name not in given}, **given}


def _as_stored(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    for option, stored in STORED_AS.items():
        if option in options and stored in options:
            raise DlmError(f"learner '{name}': {option} and {stored} are one option; give one of them")
    return {STORED_AS.get(option, option): value for option, value in options.items()}


def takes_any(make: Any) -> bool:
    """Whether a learner takes any option (``**options``): then only those given are known, and no defaults."""
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in _parameters(make))


def _parameters(make: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(make).parameters.values())[_GIVEN:]


def typed_options(name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a learner that takes any (``**options``), each of the type that it has there.

    Args:
        name: of the learner.
        options: given.
        types: option -> type, a range in its annotation.

    Raises:
        DlmError: no such option, or a value of another type or out of range.
    """
    for option in options.keys() - types.keys():
        raise DlmError(f"learner '{name}' has no option '{option}'; {_hint(option, types)}")
    return {option: _typed(name, option, value, types[option]) for option, value in options.items()}


def make_learner(
    learner: str | OwnFile, setting: Setting, rng: np.random.Generator, options: Mapping[str, Any]
) -> Learner:
    """A fresh learner.

    Raises:
        DlmError: see ``checked_options``; a value that the learner refuses; or something that is no learner.
    """
    checked = checked_options(learner, options)
    made = maker(learner)(setting, rng, **checked)
    if not isinstance(made, Learner):
        wanted = "a declaration, observe, predict, freeze and info"
        raise DlmError(f"'{learner}' makes a {type(made).__name__}, which is no learner; it needs {wanted}")
    return made


def _hint(option: str, named: Mapping[str, Any]) -> str:
    return nearest(option, named) if named else "it has none"


def _types(make: Any) -> dict[str, Any]:
    """The annotations; none where one names what is imported for type checkers alone: then the learner checks."""
    try:
        return get_type_hints(make.__init__ if inspect.isclass(make) else make)
    except NameError:
        return {}


def _typed(name: str, option: str, value: Any, wanted: Any) -> Any:
    """The value as the annotation has it: a list from the command line becomes a tuple, an integer a float."""
    from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

    from dlm_snn.config import explain

    try:
        return TypeAdapter(wanted).validate_json(json.dumps(value, default=str), strict=True)
    except PydanticSchemaGenerationError:
        return value
    except ValidationError as error:
        reason = explain(error).partition(": ")[2]
        raise DlmError(f"learner '{name}': {option} = {json.dumps(value, default=str)}: {reason}") from error
