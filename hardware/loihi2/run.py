"""Run this bundle's network and compare its spikes with the expected ones: python run.py, python run.py --help.

It needs lava-nc and what lava-nc needs, and nothing of dlm-snn. With ``--target loihi2`` it needs Intel's extension and
a board.
"""

import sys
from pathlib import Path


def main() -> int:
    """Exit code 0: no spike differs; 1: some do; 2: it cannot run, and a line says why."""
    here = Path(__file__).resolve().parent
    # Python leaves it out where it is told to be safe.
    sys.path.insert(0, str(here))
    try:
        if sys.version_info >= (3, 11):
            # lava-nc 0.10.0 cannot be imported there as it is.
            from parts.lava_mend import mend

            mend()
        from parts.script import run
    except Exception as error:
        # Whatever a module raises that was changed or is not there.
        return refused(error, here)
    try:
        return int(run(here, sys.argv[1:]))
    except ModuleNotFoundError as error:
        return refused(error, here)


def refused(error: Exception, here: Path) -> int:
    """Say in a line what is missing."""
    reason = f"{here / 'parts'} cannot be used ({type(error).__name__}: {error}); copy the bundle again"
    package = str(getattr(error, "name", None)).partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and package != "parts":
        reason = f"the package '{package}' is not installed; README.md says what is needed"
    print(f"error: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
