"""All drawn networks on all simulators: what differs, and what the networks hold. Run: python -m benchmarks.agreement

[--networks 200] [--backends reference fast torch lava-fused] [--float-backends ...]. Integers are held against stock
Lava fixed_pt, floats against stock Lava floating_pt, spikes, u and v. Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import Any

from dlm_snn import Comparison, compare, run
from tests import drawing
from tests.drawn_features import BOTH, FLOAT_ONLY, INTEGER_ONLY, features

ALL = ("s", "u", "v")


def agreement(form: str, oracle: str, backends: list[str], networks: int) -> bool:
    """Print one table; whether nothing differs."""
    seen: Counter[str] = Counter()
    rates: list[float] = []
    found: dict[str, list[Comparison]] = {backend: [] for backend in backends}
    for seed in range(networks):
        made = getattr(drawing, form)(seed)
        truth = run(*made, record=ALL, backend=oracle)
        reference = run(*made, record=ALL)
        seen.update(features(made[0], made[1], reference))
        rates += [raster.rate for raster in truth.rasters.values()]
        for backend in backends:
            other = reference if backend == "reference" else run(*made, record=ALL, backend=backend)
            found[backend].append(compare(truth, other))
    print(f"\n{networks} networks, {form}, against {oracle}")
    print(f"{len(rates)} populations fire {min(rates):.1%}..{max(rates):.1%}\n")
    print("| backend | spikes | spikes that differ | networks whose u or v differ | largest difference | ties |")
    print("|---|---|---|---|---|---|")
    for backend, comparisons in found.items():
        print(f"| {backend} | {' | '.join(str(n) for n in _row(comparisons, form))} |")
    wanted = BOTH | (INTEGER_ONLY | {"wraps", "saturates", "beyond one wrap"} if form == "integer" else FLOAT_ONLY)
    print("networks with: " + ", ".join(f"{name} {seen[name]}" for name in sorted(wanted)))
    return all(c.divergence is None for comparisons in found.values() for c in comparisons)


def _row(comparisons: list[Comparison], form: str) -> list[Any]:
    gaps = [max((gap for pair in c.values.values() for gap in pair), default=0.0) for c in comparisons]
    allowed = 0.0 if form == "integer" else 1e-9
    return [
        sum(first for c in comparisons for first, _, _ in c.spikes.values()),
        sum(c.differ for c in comparisons),
        sum(gap > allowed for gap in gaps),
        f"{max(gaps):.1e}",
        sum(len(c.ties) for c in comparisons),
    ]


def main() -> int:
    """Both forms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=len(drawing.SEEDS))
    parser.add_argument("--backends", nargs="+", default=["reference", "fast", "torch", "lava-fused"])
    chosen = parser.parse_args()
    same = [
        agreement("integer", "lava-fixed", chosen.backends, chosen.networks),
        agreement("floats", "lava-float", chosen.backends, chosen.networks),
    ]
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
