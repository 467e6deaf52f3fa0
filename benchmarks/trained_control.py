"""Spectral slopes of a trained network that does not spike: the rows that `analyze --what spectrum` quotes as control.

Run: python -m benchmarks.trained_control --write. It trains ReLU networks 64-32-10 on digits by plain SGD (learning
rate .05, batches of 32, drawn anew in every step), drops 4,096 steps, and takes the slopes of three series of 4,096
steps: the loss of the batches, the loss on 200 fixed samples, and the mean activity of the hidden layer on them. The
networks have neither spikes nor feedback: whatever slope they show is no sign of criticality.
--write puts the rows where the analysis reads them; without it they are printed.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import torch

from dlm_snn.analysis import spectrum
from dlm_snn.analysis.estimators.spectrum_control import ROWS
from dlm_snn.provenance import checkout_commit
from dlm_snn.tasks.datasets import digits

SEEDS, DROPPED, KEPT, BATCH, PROBE, RATE = range(8), 4096, 4096, 32, 200, 0.05
NAMES = ("loss of its batches", "loss on 200 fixed samples", "hidden activity on them")


def series(seed: int) -> np.ndarray:
    """(3, step) of one network."""
    torch.manual_seed(seed)
    data = digits()
    x = torch.tensor(data.x_train, dtype=torch.float32) / data.scale
    y = torch.tensor(data.y_train)
    first, second = torch.nn.Linear(x.shape[1], 32), torch.nn.Linear(32, 10)
    rng = np.random.default_rng(seed)
    probe = torch.tensor(rng.choice(len(x), PROBE, replace=False))
    optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=RATE)
    found = []
    for _ in range(DROPPED + KEPT):
        batch = torch.tensor(rng.integers(0, len(x), BATCH))
        loss = torch.nn.functional.cross_entropy(second(torch.relu(first(x[batch]))), y[batch])
        with torch.no_grad():
            hidden = torch.relu(first(x[probe]))
            fixed = torch.nn.functional.cross_entropy(second(hidden), y[probe])
        found.append((float(loss.detach()), float(fixed), float(hidden.mean())))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(found[DROPPED:]).T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    torch.set_num_threads(1)
    found = [
        [spectrum(one, 1.0, rng=np.random.default_rng(100 + seed)).slope for one in series(seed)] for seed in SEEDS
    ]
    rows = []
    for place, name in enumerate(NAMES):
        slopes = np.array([each[place].estimate for each in found])
        # Student's t for 8 seeds, of one further network: 2.365 sqrt(1 + 1/8).
        half = 2.365 * np.sqrt(1 + 1 / len(slopes)) * slopes.std(ddof=1)
        told = [round(float(end), 2) for end in (slopes.mean() - half, slopes.mean() + half)]
        doubted = sum(not each[place].resolved for each in found)
        name = f"trained ReLU network, {name}"
        rows.append({"name": name, "slope": round(float(slopes.mean()), 2), "interval": told, "not resolved": doubted})
    head = {
        "command": "python -m benchmarks.trained_control --write",
        "commit": checkout_commit(),
        "seeds": list(SEEDS),
    }
    text = json.dumps({**head, "steps": KEPT, "rows": rows}, indent=1) + "\n"
    print(text)
    if write:
        ROWS.write_text(text)


if __name__ == "__main__":
    main()
