"""Typed configuration: a pydantic model, a YAML file and ``--set a.b=c`` make one frozen object.

Importing this module imports pydantic: a verb does it inside its function.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from dlm_snn.errors import DlmError, nearest
from dlm_snn.files.reading import read_bytes, regular_file
from dlm_snn.files.yaml_text import LENGTH_LIMIT, Dumper, parse_yaml
from dlm_snn.runs.run_folder import CONFIG, check_files, is_run, read_record

# pydantic's words, and the words of a configuration file
_WORDS = {
    "Input should be": "should be",
    "a valid array": "a list",
    "an object": "a group of keys",
    "a valid string": "text",
    "Tuple should": "should",
    " item after validation": " item",
}

ConfigType = TypeVar("ConfigType", bound=BaseModel)


class Config(BaseModel):
    """Base of every configuration: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", allow_inf_nan=True)


def load_config(
    model: type[ConfigType],
    file: Path | None = None,
    overrides: Sequence[str] = (),
    base: BaseModel | None = None,
) -> ConfigType:
    """The configuration of a run: ``base``, over it the file's keys, over them the overrides.

    Values are taken strictly (``true`` is no integer, ``"3"`` no number); a list may stand for a tuple.

    Args:
        model: the class, normally a subclass of ``Config``.
        file: a YAML file, or a run folder, which means its ``config.yaml``.
        overrides: texts ``a.b=value``, the value in YAML; ``a.0.b`` reaches into a list.
        base: where the untouched values come from; the model's own defaults without it.

    Raises:
        MissingError: no such file.
        DlmError: malformed YAML, an unknown key, a value of wrong type or outside its range.
    """
    values = _start(model, base)
    from_file: dict[str, Any] = {}
    if file is not None:
        file = _config_file(file)
        from_file = _read(file)
        values = merged(values, from_file)
    changed = [parsed_override(text) for text in overrides]
    for key, value in changed:
        _place(values, key, value)
    try:
        # Strict JSON rules are the ones that fit YAML: lists become tuples, texts become paths and enumerations.
        return model.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        fault = _Fault(error, model, values)
        raise DlmError(fault.line(_origin(fault.key, file, from_file, changed))) from error


def validated(model: type[ConfigType], values: Mapping[str, Any], origin: str) -> ConfigType:
    """A configuration from plain values, by the same strict rules.

    Args:
        model: the class.
        values: key -> value.
        origin: who refuses, the beginning of the line.

    Raises:
        DlmError: an unknown key, a value of wrong type or outside its range.
    """
    try:
        return model.model_validate_json(json.dumps(dict(values), default=str), strict=True)
    except ValidationError as error:
        raise DlmError(_Fault(error, model, values).line(origin)) from error


def dump_config(config: BaseModel) -> str:
    """The configuration as YAML text that ``load_config`` reads back equal."""
    values = config.model_dump(mode="json")
    return yaml.dump(values, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)


def explain(error: ValidationError) -> str:
    """The first fault that pydantic found, in one line."""
    return _Fault(error).line(error.title + ": ")


class _Fault:
    """What pydantic refused: the dotted key, the value and the reason."""

    def __init__(self, error: ValidationError, model: type[BaseModel] | None = None, values: Any = None) -> None:
        errors = error.errors(include_url=False)
        self.others = len(errors) - 1
        self.first = next((one for one in errors if not _of_another_member(one, model)), errors[0])
        self.key = ".".join(_path(self.first["loc"], values))
        self.known = _siblings(model, self.first["loc"])

    def line(self, origin: str) -> str:
        more = f" (and {self.others} more)" if self.others else ""
        return f"{origin}{self._text()}{more}"

    def _text(self) -> str:
        if self.first["type"] == "extra_forbidden":
            hint = f"; {nearest(str(self.first['loc'][-1]), self.known)}" if self.known else ""
            return f"unknown key '{self.key}'{hint}"
        if self.first["type"] == "missing":
            return f"key '{self.key}' is missing"
        return f"{self.key} = {_shown(self.first['input'])}: {self._reason()}" if self.key else self._reason()

    def _reason(self) -> str:
        raised = self.first.get("ctx", {}).get("error")
        text = str(raised) if isinstance(raised, Exception) else self.first["msg"]
        for theirs, ours in _WORDS.items():
            text = text.replace(theirs, ours)
        return " ".join(text.split())


def _of_another_member(error: Any, model: type[BaseModel] | None) -> bool:
    """Whether a key is refused by one member of a union of models only because it belongs to another."""
    return error["type"] == "extra_forbidden" and error["loc"][-1] in _siblings(model, error["loc"])


def _siblings(model: type[BaseModel] | None, loc: Sequence[int | str]) -> set[str]:
    """Names of the fields beside a location inside the model."""
    models = set() if model is None else {model}
    for part in loc[:-1]:
        fields = [outer.model_fields[str(part)] for outer in models if part in outer.model_fields]
        models = {found for field in fields for found in _models(field.annotation)} or models
    return {name for found in models for name in found.model_fields}


def _path(loc: Sequence[int | str], values: Any) -> list[str]:
    """The location without the names of union members, which stand in pydantic's but not in the user's text."""
    if values is None:
        return [str(part) for part in loc]
    path = []
    for place, part in enumerate(loc):
        inside = part in values if isinstance(values, dict) else isinstance(values, list) and isinstance(part, int)
        if inside:
            values = values[part]
        if inside or (place == len(loc) - 1 and isinstance(values, dict)):
            path.append(str(part))
    return path


def _models(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {found for inner in get_args(annotation) for found in _models(inner)}


def _start(model: type[BaseModel], base: BaseModel | None) -> dict[str, Any]:
    # The defaults are written out, so that an override of one key inside a default leaves its other keys alone.
    return (model.model_construct() if base is None else base).model_dump(mode="json", warnings=False)


def _config_file(file: Path) -> Path:
    path = file / CONFIG if file.is_dir() else file
    regular_file(path, f"no configuration at {path}; name a YAML file or a run's folder")
    if path != file and is_run(file):
        check_files(file, read_record(file), "copy it out of the run's folder to use it as it stands", CONFIG)
    return path


def _read(file: Path) -> dict[str, Any]:
    values = parse_yaml(read_bytes(file, 4 * LENGTH_LIMIT), str(file))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise DlmError(f"{file} holds {_shown(values)}; a configuration is lines of 'key: value'")
    return values


def parsed_override(text: str) -> tuple[str, Any]:
    """A text ``a.b=value`` as its key and its value, read as YAML.

    Raises:
        DlmError: no such form, or a value that is not YAML.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not all(key.split(".")):
        raise DlmError(f"--set {text}: write KEY=VALUE, such as training.epochs=3")
    return key, parse_yaml(value, f"--set {text}: the value is not YAML")


def _place(values: dict[str, Any], key: str, value: Any) -> None:
    *outer, last = key.split(".")
    here: Any = values
    for depth, part in enumerate(outer):
        here = _step(here, part, key, ".".join(outer[: depth + 1]))
    if isinstance(here, list):
        here[_index(here, last, key)] = value
    else:
        here[last] = value


def _step(here: Any, part: str, key: str, so_far: str) -> Any:
    if isinstance(here, list):
        inner = here[_index(here, part, key)]
    else:
        if here.get(part) is None:
            here[part] = {}
        inner = here[part]
    if not isinstance(inner, (dict, list)):
        raise DlmError(f"--set {key}: {so_far} is {_shown(inner)}, which has no keys inside")
    return inner


def _index(here: list[Any], part: str, key: str) -> int:
    if not part.isdecimal() or int(part) >= len(here):
        raise DlmError(f"--set {key}: '{part}' is no place in a list of {len(here)}; count from 0")
    return int(part)


def merged(under: Mapping[Any, Any], over: Mapping[Any, Any]) -> dict[Any, Any]:
    """Both mappings, and those inside them; where both have a value, that of ``over``."""
    result = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def _origin(key: str, file: Path | None, from_file: Any, changed: Sequence[tuple[str, Any]]) -> str:
    """Where the refused key was written, as the beginning of the line."""
    if any(f"{key}.".startswith(f"{name}.") or f"{name}.".startswith(f"{key}.") for name, _ in changed if key):
        return "--set: "
    for part in key.split("."):
        if isinstance(from_file, dict) and part in from_file:
            from_file = from_file[part]
            continue
        if isinstance(from_file, list):
            break
        return ""
    return f"{file}: "


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
