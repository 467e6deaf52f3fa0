"""The page in a bundle, for somebody who has a board and has never heard of us."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardware.loihi2.prepared import Prepared

_PAGE = """# A spiking network for Loihi 2, and the spikes it should make

Written by dlm-snn. The network runs {n_windows} windows of {n_steps} steps, one after another, a new one every
{period} steps. The spikes of every neuron were computed beforehand; the question is whether your machine makes
the same.

    python run.py                    # Lava's simulator: lava-nc 0.10.0, and NumPy and SciPy, which it brings
    python run.py --target loihi2    # a chip: also Intel's extension of Lava (lava-loihi), and a board

lava-nc 0.10.0 asks for Python 3.8 to 3.10. On 3.11 and 3.12 install it with `pip install --no-deps
--ignore-requires-python lava-nc==0.10.0` beside NumPy below 2, SciPy, networkx and `asteval>=0.9.31,<0.10`; `run.py`
mends what keeps it from being imported there.

The last line says `0 of {spikes} spikes differ`, or how many do; then the line above says where the first one is:
window (called sample), step, population, neuron, and who has it. The exit code is 0 where none differs, 1 where some
do, 2 where it could not run. `python run.py --help` has the settings of boards (`--partition`, `--board`, `--host`),
and `--record {last}` to bring back the spikes of one population only. A run in which no step comes for 10 minutes ends;
`--patience SECONDS` changes that.

## Please send back

`got-loihi2.npz`, which the run leaves here, and what it printed. A raster of your own making does as well:

- npz, with the arrays `P.sample`, `P.step`, `P.neuron` (integers from 0, an entry a spike) and the number
  `P.n_neurons` for each population P, and the numbers `n_samples` and `n_steps`;
- or CSV, with the title line `population,sample,step,neuron` and a line a spike.

Steps are those of a population's own window: it begins as many steps after the input's as `bundle.json` says
(`depth`). `dlm-snn compare BUNDLE FILE` reads either.

## What is here

- `run.py`, `parts/`: the script and its modules. `parts/adapters` has the way onto a chip: the vendor's adapters, used
  as in its public notebooks.
- `bundle.json`, `network.npz`: the network in the chip's own integers: weights, exponents, decays (of 4096),
  thresholds, biases, delays, depths; and the SHA-256 of every other file. `run.py` refuses a file that was changed, but
  for this page and `placement.txt`.
- `stimulus.npz`: the events of each input, (window, step, neuron).
- `expected.npz`: the spikes that should come out, in the form above.
- `placement.txt`: what it should take of the chip's cores.

{doubts}
Nobody who wrote this had a board. What a simulator cannot show: whether the compiler takes the network, where it puts
it, how many steps a spike takes through the adapters (`--input-steps`, `--output-steps`; the script looks for late
spikes by itself and says which number to give), time and energy.

The scripts are dlm-snn's, under the MIT license.
"""


def readme(ready: Prepared) -> str:
    """The text of a bundle's page."""
    doubts = ""
    if ready.doubts:
        lines = "\n".join(f"- {one}" for one in ready.doubts)
        doubts = f"A chip may compute otherwise than Lava's simulator here:\n\n{lines}\n"
    return _PAGE.format(
        n_windows=ready.n_windows,
        n_steps=ready.windows.n_steps,
        period=ready.windows.period,
        spikes=sum(map(len, ready.expected.values())),
        last=list(ready.expected)[-1],
        doubts=doubts,
    )
