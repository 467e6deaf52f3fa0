"""Write what PySpike says of drawn spike trains: python tests/libraries/make_pyspike_golden.py, with pyspike installed.

PySpike comes as source and takes a compiler, so that the tests have its values and not the package.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyspike

GOLDEN = Path(__file__).parent / "golden" / "pyspike.json"
DRAWN = ((200, (0.05, 0.08, 0.2, 0.01)), (60, (0.0, 0.03, 0.5, 0.9)), (1000, (0.02, 0.02, 0.002, 0.05)))
"""Steps, and the rate of each train."""


def main() -> None:
    rng = np.random.default_rng(20)
    cases = []
    for n_steps, rates in DRAWN:
        steps = [np.flatnonzero(rng.random(n_steps) < rate).tolist() for rate in rates]
        # Neighbors of the spikes of another train, which are partners.
        steps[1] = sorted({*steps[1], *(step + 1 for step in steps[0] if step + 1 < n_steps)})
        trains = [pyspike.SpikeTrain(np.array(one, dtype=float), (0.0, float(n_steps))) for one in steps]
        case = {"n_steps": n_steps, "trains": steps}
        case["isi_distance"] = pyspike.isi_distance_matrix(trains).tolist()
        case["spike_sync"] = pyspike.spike_sync_matrix(trains).tolist()
        cases.append(case)
    GOLDEN.write_text(json.dumps({"version": version("pyspike"), "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
