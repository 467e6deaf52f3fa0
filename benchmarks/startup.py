"""How long the command line and the package take to start: median of 11 fresh processes, beside an empty Python.

Run by hand, on a quiet machine: python benchmarks/startup.py
"""

from __future__ import annotations

import platform
import subprocess
import sys
from statistics import median
from time import perf_counter

REPETITIONS = 11
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import dlm_snn": ["-c", "import dlm_snn"],
    "dlm-snn --version": ["-m", "dlm_snn.cli", "--version"],
    "dlm-snn --help": ["-m", "dlm_snn.cli", "--help"],
    "dlm-snn doctor": ["-m", "dlm_snn.cli", "doctor"],
}


def seconds(arguments: list[str]) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return perf_counter() - start


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}, {REPETITIONS} processes each, milliseconds")
    print(f"{'':<20}{'median':>8}{'fastest':>9}{'slowest':>9}")
    for name, arguments in COMMANDS.items():
        # One start before the clock runs, so that the bytecode is written and the files are in memory.
        seconds(arguments)
        taken = [1000 * seconds(arguments) for _ in range(REPETITIONS)]
        print(f"{name:<20}{median(taken):>8.0f}{min(taken):>9.0f}{max(taken):>9.0f}")


if __name__ == "__main__":
    main()
