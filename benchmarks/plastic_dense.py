"""Our plastic Process against stock LearningDense: the same rule, the same spikes, one run, weights bit for bit.

Run: OMP_NUM_THREADS=1 python benchmarks/plastic_dense.py [--rounds 5] [--steps 1000] [--pre 0.1] [--post 0.1]. 784 x
256 synapses, dw = 2^-2*x1*y0 - 2^-5*x0*w. Forms run in turn, each from its first weights: "stock" LearningDense; "own"
PlasticDense in its place; "own, block" with many steps in a message, as for recorded spikes; "no learning" stock Dense,
which is what the messages alone cost. Building, starting and the first block of steps are not timed. CPU time is that
of all processes of the graph together: another load on the machine hardly moves it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from workload import median_ratio

from dlm_snn.learning.on_chip.rule import LearningRule, Trace
from lava_processes.plastic_dense.process import PlasticDense, stock_rule

N_PRE, N_POST, BLOCK = 784, 256, 100
RULE = LearningRule(dw="2^-2*x1*y0 - 2^-5*x0*w", traces={"x1": Trace(impulse=16, tau=20)})
TAGS = ("floating_pt", "fixed_pt")


def process(form: str, weights: np.ndarray) -> tuple[Any, int]:
    """The Process of a form, and its steps a message."""
    from lava.proc.dense.process import Dense, LearningDense

    if form == "stock":
        return LearningDense(weights=weights, learning_rule=stock_rule(RULE)), 1
    if form == "no learning":
        return Dense(weights=weights), 1
    block = BLOCK if "block" in form else 1
    rounding = "synapse" if "synapse" in form else "lava"
    return PlasticDense(weights=weights, learning_rule=RULE, rounding=rounding, block=block), block


def source(spikes: np.ndarray, block: int) -> Any:
    """Spikes (neuron, step) as messages of a block of steps each."""
    from lava.proc.io.source import RingBuffer

    data = spikes.astype(int)
    return RingBuffer(data=data if block == 1 else data.reshape(len(data), -1, block).swapaxes(1, 2))


def cpu_seconds() -> float:
    """CPU time so far of all child processes, every thread of them."""
    children = multiprocessing.active_children()
    threads = [path for child in children for path in Path(f"/proc/{child.pid}/task").glob("*/schedstat")]
    return sum(int(path.read_text().split()[0]) for path in threads) / 1e9


def run(form: str, tag: str, spikes: tuple[np.ndarray, np.ndarray], weights: np.ndarray, read: bool) -> Any:
    """Seconds and CPU seconds of all steps after the first block; the weights at the end where they are to be read."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    dense, block = process(form, weights)
    pre, post = (source(part, block) for part in spikes)
    pre.s_out.connect(dense.s_in)
    if form != "no learning":
        post.s_out.connect(dense.s_in_bap)
    config = Loihi2SimCfg(select_tag=tag)
    dense.run(condition=RunSteps(num_steps=BLOCK // block), run_cfg=config)
    begun, worked = time.perf_counter(), cpu_seconds()
    dense.run(condition=RunSteps(num_steps=spikes[0].shape[1] // block - BLOCK // block), run_cfg=config)
    seconds = time.perf_counter() - begun, cpu_seconds() - worked
    found = dense.weights.get() if read else None
    dense.stop()
    return seconds, found


def main() -> None:
    """Print one line for each tag and form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--pre", type=float, default=0.1)
    parser.add_argument("--post", type=float, default=0.1)
    chosen = parser.parse_args()
    rng = np.random.default_rng(0)
    n_steps = (chosen.steps // BLOCK + 1) * BLOCK
    spikes = rng.random((N_PRE, n_steps)) < chosen.pre, rng.random((N_POST, n_steps)) < chosen.post
    weights = 2.0 * rng.integers(-40, 41, (N_POST, N_PRE))
    print(f"{n_steps - BLOCK} steps, {chosen.pre:.0%} of inputs and {chosen.post:.0%} of neurons spike in a step\n")
    print("| tag | form | ms a step, median | CPU ms | times as fast as stock; CPU | weights that differ |")
    print("|---|---|---|---|---|---|")
    for tag in TAGS:
        forms = ["stock", "own", "own, block", "no learning"]
        if tag == "fixed_pt":
            forms[3:3] = ["own, block, synapse"]
        seconds: dict[str, list[tuple[float, float]]] = {form: [] for form in forms}
        ends = {}
        for number in range(chosen.rounds):
            for form in forms:
                taken, found = run(form, tag, spikes, weights, read=number == 0 and form != "no learning")
                seconds[form].append(taken)
                ends.setdefault(form, found)
        for form in forms:
            pairs = [list(values) for values in zip(*seconds[form], strict=True)]
            stock = [list(values) for values in zip(*seconds["stock"], strict=True)]
            wall, cpu = (statistics.median(values) / (n_steps - BLOCK) * 1e3 for values in pairs)
            ratios = "; ".join(f"{median_ratio(slow, quick):.1f}" for slow, quick in zip(stock, pairs, strict=True))
            differ = "-" if "own" not in form else int((ends[form] != ends["stock"]).sum())
            print(f"| {tag} | {form} | {wall:.3f} | {cpu:.3f} | {ratios} | {differ} |", flush=True)


if __name__ == "__main__":
    main()
