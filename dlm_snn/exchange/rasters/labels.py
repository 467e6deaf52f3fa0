"""What others call neurons, told in lines and sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

FIRST = 8
"""Names in a line."""


def told_labels(unit_ids: Mapping[str, Sequence[int | str]], areas: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each population whose units have ids of their own, and for each whose areas are told."""
    lines = []
    for name, ids in unit_ids.items():
        first = ", ".join(map(str, ids[:FIRST]))
        lines.append(f"{name}: neurons 0..{len(ids) - 1} are the units {first}{', ...' * (len(ids) > FIRST)}")
    for name, own in areas.items():
        counted = Counter(area or "none told" for area in own).most_common()
        first = ", ".join(f"{area} ({n})" for area, n in counted[:FIRST])
        lines.append(f"{name}: areas {first}{', ...' * (len(counted) > FIRST)}")
    return lines
