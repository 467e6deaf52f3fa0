"""Folds of the stream choose their constants on what they learn from."""

import numpy as np

from dlm_snn.learning.columns.learner import chosen_form
from dlm_snn.learning.learner import Setting
from experiments.tuning import stream_tuning


def test_columns_of_a_fold_learn_from_codes_and_answer_others():
    form = chosen_form(Setting((2, 34, 34), 8, 255, 10, 10), {"form": "camera", "neurons": 50})
    codes, labels = {}, {number: number % 3 for number in range(12)}
    for number, label in labels.items():
        codes[number] = np.zeros(form.front_end.n_codes, dtype=np.uint8)
        codes[number][100 * label : 100 * label + 100] = form.front_end.levels
    shown, asked = ({n: labels[n] for n in part} for part in (range(6), range(6, 12)))
    assert stream_tuning._accuracy(form, codes, shown, asked) == 1.0
    assert stream_tuning._accuracy(form, codes, shown, dict.fromkeys(asked, 9)) == 0.0
    assert stream_tuning._inner(form, codes, labels, list(labels)) == 1.0
