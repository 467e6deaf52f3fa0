"""Random graphs of stock Lava processes."""

from __future__ import annotations

from itertools import pairwise


def drawn(parts) -> list:
    """One to four populations, each behind one to three connections of any kind."""
    rng = parts.rng
    size = int(rng.integers(2, 7))
    offset = int(rng.choice([1, 2, 3, 9]))
    populations = [_neurons(parts, f"n{number}", size, offset) for number in range(rng.integers(1, 5))]
    sources = [_source(parts, size) for _ in range(rng.integers(1, 3))]
    # A graph is what hangs together: each has a way from the source, and from the one before.
    _joined(parts, sources[0], populations[0], size)
    for before, behind in pairwise(populations):
        _joined(parts, before, behind, size)
    for source in sources[1:]:
        _joined(parts, source, populations[-1], size)
    for _ in range(rng.integers(0, 3)):
        pre, post = ([*sources, *populations][rng.integers(0, n)] for n in (len(sources) + len(populations),) * 2)
        if post in populations:
            _joined(parts, pre, post, size)
    if rng.random() < 0.4 and sources[0].s_out.shape == populations[-1].a_in.shape:
        sources[0].s_out.connect(populations[-1].a_in)
    return populations


def _neurons(parts, name: str, size: int, offset: int):
    from lava.proc.lif.process import LIF, LIFRefractory, LIFReset

    rng = parts.rng
    bias = rng.choice([0, 0, 1, 2]) / 32
    given = {"shape": (size,), "name": name}
    given |= parts.parameters(du=rng.choice([0.25, 0.5, 1]), dv=rng.choice([0, 0.125, 0.5]), bias=bias)
    if rng.random() < 0.3:
        unit = 4096 if parts.fixed else 1
        given |= {"u": rng.integers(-2, 3, size) * unit // 2, "v": rng.integers(-2, 3, size) * unit // 2}
    kind = rng.integers(0, 4)
    if kind == 0:
        return LIFReset(reset_interval=8, reset_offset=offset, **given)
    if kind == 1 and not parts.fixed:
        # With a bias its model adds u + bias first, which rounds otherwise.
        return LIFRefractory(refractory_period=int(rng.integers(1, 4)), **{**given, "bias_mant": 0})
    return LIF(**given)


def _source(parts, size: int):
    from lava.proc.io.source import RingBuffer

    steps = int(parts.rng.integers(5, 40))
    least, most = ((0, 1), (-1, 3))[parts.rng.integers(0, 2)]
    amounts = parts.rng.integers(least, most + 1, (size, steps))
    return RingBuffer(data=amounts * parts.rng.integers(0, 2, (size, steps)))


def _joined(parts, pre, post, size: int) -> None:
    from lava.proc.conv.process import Conv
    from lava.proc.dense.process import DelayDense, Dense
    from lava.proc.sparse.process import DelaySparse, Sparse
    from scipy.sparse import csr_matrix

    rng, kind = parts.rng, parts.rng.integers(0, 5)
    weights = parts.weights(size, size, low=-20, high=48)
    delays = rng.integers(0, 4, (size, size))
    form = {"num_message_bits": int(rng.choice([0, 4]))}
    if parts.fixed:
        form |= {"weight_exp": int(rng.integers(-1, 2)), "num_weight_bits": int(rng.integers(6, 9))}
    if kind == 0:
        # Along one axis, which every other Process takes as a line.
        kernel = parts.weights(1, 3, 1, 1, low=-20, high=60)
        process = Conv(weight=kernel, input_shape=(size, 1, 1), padding=(1, 0))
        pre.s_out.reshape((size, 1, 1)).connect(process.s_in)
        process.a_out.flatten().connect(post.a_in)
        return
    if kind == 1:
        process = DelayDense(weights=weights, delays=delays, **form)
    elif kind == 2:
        process = Sparse(weights=csr_matrix(weights * rng.integers(0, 2, (size, size))), **form)
    elif kind == 3:
        listed = csr_matrix(weights * rng.integers(0, 2, (size, size)))
        waits = listed.copy()
        waits.data = rng.integers(0, 4, waits.data.size)
        process = DelaySparse(weights=listed, delays=waits.astype(int), **form)
    else:
        process = Dense(weights=weights, **form)
    pre.s_out.connect(process.s_in)
    process.a_out.connect(post.a_in)
