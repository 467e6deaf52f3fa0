"""What constants each fold of the stream would have chosen from its own training recordings, and what they are worth.

The constants of the form "camera" were chosen on all recordings. Here each fold chooses anew, among six settings, by
cross-validation inside the recordings that it learns from, and is then tested on those held out, which played no part
in the choice. Joint ridge on the same codes stands beside it.
``DLM_DATA=DIR python -m experiments.tuning.stream_tuning`` runs the folds that are missing and appends them to
``results/stream-tuning.jsonl``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.learning.columns._compiled import observe, predict
from dlm_snn.learning.columns._front_end_compiled import rank_codes_of_events
from dlm_snn.learning.columns.learner import Form, chosen_form
from dlm_snn.learning.columns.rule import Columns
from dlm_snn.provenance import origin, origin_text
from dlm_snn.runs.metrics import interval
from dlm_snn.tasks.recordings import Recordings, nmnist_excerpt
from experiments.harness.rows import OURS, Row, read_rows, writing_rows
from experiments.harness.stream import DEFAULTS, FOLDS, held_out, order_of, ridge_accuracy, setting_of_recordings
from experiments.tuning.command import command

RESULTS = OURS / "stream-tuning.jsonl"
SETTINGS: tuple[dict[str, int], ...] = tuple(
    {"leak": leak, "active": active} for leak, active in product((20, 40, 80), (320, 480))
)
"""Options of the form "camera" that are tried."""
INNER = 4
"""Parts of the training recordings, each of which is held out once for the choice."""
Codes = Mapping[int, NDArray[np.uint8]]
"""Recording -> its rank code."""


def main() -> None:
    """Run what is missing and print the table."""
    with writing_rows(RESULTS) as file:
        missing = [seed for seed in range(FOLDS) if file.find(config=str(seed)) is None]
        if missing:
            recordings = nmnist_excerpt(None)
            forms = [_form(recordings, setting) for setting in SETTINGS]
            codes = [_codes(recordings, form) for form in forms]
            for seed in missing:
                file.append(_fold(recordings, forms, codes, seed))
    print(table(RESULTS))


def table(results: Path) -> str:
    """The folds that have rows: what they chose, and accuracies on what they held out."""
    rows = read_rows(results)
    text = ["| fold | chosen | columns | joint ridge | columns less ridge |", "|---|---|---|---|---|"]
    percent = {name: [100 * row["figures"][name] for row in rows] for name in ("acc", "ridge")}
    gaps = [acc - ridge for acc, ridge in zip(*percent.values(), strict=True)]
    for row, acc, ridge, gap in zip(rows, *percent.values(), gaps, strict=True):
        chosen = ", ".join(f"{name} {value}" for name, value in row["chosen"].items())
        text.append(f"| {row['config']} | {chosen} | {acc:.2f} | {ridge:.2f} | {gap:+.2f} |")
    if rows:
        means = " | ".join(f"{np.mean(values):.2f}" for values in percent.values())
        text.append(f"| all | | {means} | {interval(gaps, '+.2f')} |")
        run = "`DLM_DATA=DIR python -m experiments.tuning.stream_tuning`"
        text += ["", f"{run}, {origin_text(rows[0])}."]
    return "\n".join(text)


def _form(recordings: Recordings, setting: Mapping[str, int]) -> Form:
    return chosen_form(setting_of_recordings(recordings), {**DEFAULTS["columns"], **setting})


def _codes(recordings: Recordings, form: Form) -> Codes:
    numbers = [number for part in recordings.parts.values() for number in part]
    return {number: rank_codes_of_events(form.front_end, recordings.raster(number))[0][0] for number in numbers}


def _fold(recordings: Recordings, forms: list[Form], codes: list[Codes], seed: int) -> Row:
    train, test = held_out(recordings, seed)
    stream = order_of(train, "random", seed)
    inner = [_inner(form, of_form, train, stream) for form, of_form in zip(forms, codes, strict=True)]
    best = int(np.argmax(inner))
    return {
        "config": str(seed),
        "chosen": SETTINGS[best],
        **origin(),
        "inner": [{**setting, "acc": round(acc, 4)} for setting, acc in zip(SETTINGS, inner, strict=True)],
        "figures": {
            "acc": _accuracy(forms[best], codes[best], {n: train[n] for n in stream}, test),
            "ridge": ridge_accuracy(*_stacked(codes[best], train), *_stacked(codes[best], test)),
        },
    }


def _inner(form: Form, codes: Codes, train: Mapping[int, int], stream: list[int]) -> float:
    """Mean accuracy over the parts of the training recordings, each held out once."""
    found = []
    for part in range(INNER):
        asked = {number: train[number] for number in stream[part::INNER]}
        shown = {number: train[number] for number in stream if number not in asked}
        found.append(_accuracy(form, codes, shown, asked))
    return float(np.mean(found))


def _accuracy(form: Form, codes: Codes, shown: Mapping[int, int], asked: Mapping[int, int]) -> float:
    """Of fresh columns that learned what is shown, once, in its order."""
    columns, levels = Columns.fresh(form.rule, form.front_end.n_codes), form.front_end.levels
    observe(form.rule, columns, *_stacked(codes, shown), levels)
    x, y = _stacked(codes, asked)
    answers, _ = predict(form.rule, columns, x, levels)
    return float(np.mean(answers == y))


def _stacked(codes: Codes, labels: Mapping[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    return np.stack([codes[number] for number in labels]), np.array(list(labels.values()))


if __name__ == "__main__":
    command(main)
