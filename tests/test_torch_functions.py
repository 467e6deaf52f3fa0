"""Functions between neurons, one by one: taken and equal to the module's own run, or refused by name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError
from tests.intake_page import BATCH, SHAPE, Between, sample

GENERATOR = torch.Generator().manual_seed(3)
MASK = torch.rand(SHAPE, generator=GENERATOR) < 0.4
PLACES = torch.randint(0, 4, (1, *SHAPE), generator=GENERATOR)
ORDER, SWAP = torch.tensor([1, 0, 3, 2]), torch.tensor([1, 0])
W, BIAS = (torch.round(torch.randn(n, generator=GENERATOR) * 4) / 4 for n in ((32, 32), (32,)))
Way = Callable[[Between, Tensor], Tensor]


def places() -> Tensor:
    return PLACES.expand(BATCH, *SHAPE).clone()


def padded(x: Tensor) -> Tensor:
    return F.pad(x, (0, 32 - x.shape[1])).view(-1, *SHAPE)


TAKEN: Mapping[str, Way] = {
    "addmm": lambda m, s: torch.addmm(BIAS, s.flatten(1), W, beta=2, alpha=0.5).view_as(s),
    "addmm of two": lambda m, s: torch.addmm(m.frame.flatten(1), s.flatten(1), W).view_as(s),
    "baddbmm": lambda m, s: torch.baddbmm(s.view(-1, 2, 16), s.view(-1, 2, 16), W[:16, :16].expand(BATCH, 16, 16)),
    "bmm": lambda m, s: torch.bmm(W[:4, :4].expand(BATCH, 4, 4), s.view(-1, 4, 8)).view_as(s),
    "inner": lambda m, s: torch.inner(s.flatten(1), W).view_as(s),
    "matmul by rows": lambda m, s: s @ W[:4, :4],
    "lerp": lambda m, s: torch.lerp(m.conv2(s), m.frame, 0.25),
    "lerp by a mask": lambda m, s: torch.lerp(m.conv2(s), s, MASK.to(s.dtype)),
    "lerp in place": lambda m, s: m.conv2(s).lerp_(s, 0.5),
    "addcmul": lambda m, s: torch.addcmul(s, m.conv2(s), MASK.to(s.dtype), value=0.5),
    "addcdiv": lambda m, s: torch.addcdiv(s, m.conv2(s), MASK + 1.0),
    "masked_fill": lambda m, s: m.conv2(s).masked_fill(MASK, 0.25),
    "masked_fill in place": lambda m, s: m.conv2(s).masked_fill_(MASK, 0.0),
    "where": lambda m, s: torch.where(MASK, m.conv2(s), m.frame),
    "where of a number": lambda m, s: torch.where(MASK, 0.25, m.conv2(s)),
    "where of spikes": lambda m, s: torch.where(s > 0, 0.75, -0.25),
    "where as a method": lambda m, s: m.conv2(s).where(MASK, s),
    "tril": lambda m, s: m.conv2(s).tril(),
    "gather": lambda m, s: m.conv2(s).gather(3, places()),
    "take_along_dim": lambda m, s: torch.take_along_dim(s, places(), 3),
    "index_select": lambda m, s: m.conv2(s.index_select(2, ORDER)),
    "fancy indices": lambda m, s: m.conv2(s[:, SWAP][..., ORDER]),
    "a mask as an index": lambda m, s: padded(s[:, MASK]),
    "index_add": lambda m, s: s.index_add(2, ORDER, m.conv2(s)),
    "index_fill": lambda m, s: m.conv2(s).index_fill(2, SWAP, 0.25),
    "scatter": lambda m, s: torch.zeros_like(s).scatter(3, ORDER.expand(BATCH, 2, 4, 4).clone(), s),
    "select_scatter": lambda m, s: torch.select_scatter(m.conv2(s), s[:, 0], 1, 0),
    "diagonal": lambda m, s: torch.diag_embed(s.diagonal(dim1=2, dim2=3)),
    "int": lambda m, s: m.conv2(s.int().to(s.dtype)),
    "bool, and slices of it": lambda m, s: m.conv2(F.pad(s.bool()[:, :, 1:], (0, 0, 1, 0)).to(s.dtype)),
    "sums of integers": lambda m, s: (s.long() + 2 * s.long().sum(1, keepdim=True)).double(),
    "comparisons": lambda m, s: m.conv2((s > 0.5).to(s.dtype)) - (s == 0) * 0.25,
    "not": lambda m, s: m.conv2((~s.bool()).to(s.dtype)),
    "squares": lambda m, s: m.conv2(s**2) + s.square() / 2,
    "ReLU of spikes": lambda m, s: m.conv2(F.relu(s).clamp(0, 1)),
    "sigmoid of spikes": lambda m, s: m.conv2(s) - torch.sigmoid(s),
    "a stack of branches, added up": lambda m, s: torch.stack([m.conv2(s), -m.frame, s]).sum(0),
    "the mean of a stack of branches": lambda m, s: torch.stack([m.conv2(s), s], dim=0).mean(dim=0),
    "a stack, taken apart": lambda m, s: torch.stack([m.conv2(s), s])[0] - torch.stack([s, m.conv2(s)]).unbind(0)[0],
    "an axis in front": lambda m, s: m.fc(s.flatten(1)[None])[0].view_as(s),
    "an axis in front, and away": lambda m, s: m.fc(s.flatten(1).unsqueeze(0)).squeeze(0).view_as(s),
    "spikes of 16 bits": lambda m, s: m.conv2(s.bfloat16().to(s.dtype) + s.half().float().view_as(s)),
    "weights of 16 bits": lambda m, s: F.linear(s.flatten(1), (W / 3).half().to(s.dtype)).view_as(s),
    "a sample of 16 bits": lambda m, s: m.conv2(s) - (m.frame / 3).bfloat16().to(s.dtype),
    "max_pool1d": lambda m, s: m.conv2(s) - F.max_pool1d(s.flatten(1, 2), 3, 1, 1).view_as(s) / 2,
    "adaptive maximum": lambda m, s: m.conv2(s) - F.adaptive_max_pool2d(s, (2, 1)).repeat(1, 1, 2, 4),
    "adaptive maximum of one axis": lambda m, s: m.conv2(s) - F.adaptive_max_pool1d(s.flatten(2), 4)[..., None],
    "the maximum over places": lambda m, s: m.conv2(s) - s[..., :2].amax((2, 3), keepdim=True),
    "the maximum over an axis": lambda m, s: m.conv2(s) - s[..., :2].max(3, keepdim=True)[0],
    "maxima and their places": lambda m, s: 2 * s - F.max_pool2d(s, 2, 1, 1, return_indices=True)[0][..., 1:, 1:],
    "windows that end with the image": lambda m, s: m.conv2(s).sub(
        F.interpolate(F.max_pool2d(s, 2, ceil_mode=True), SHAPE[1:])
    ),
    "a square by hand": lambda m, s: m.conv2(s * s) - s * s / 2,
    "a quotient": lambda m, s: m.conv2(1 / (1 + s)) - 0.25,
    "a power of a number": lambda m, s: m.conv2(0.5**s) - 0.25,
    "the rest of a division": lambda m, s: m.conv2((s + 1) % 2) + (s + 1) // 2 - 0.5,
    "cosine": lambda m, s: m.conv2(s) - torch.cos(s),
    "logic with constants": lambda m, s: m.conv2(((s.bool() & True) ^ MASK).to(s.dtype)),
    "integers with constants": lambda m, s: (
        m.conv2((s.int() ^ 1).to(s.dtype)) - torch.logical_xor(s, s.new_ones(1)) * 0.5
    ),
    "at least": lambda m, s: m.conv2(torch.maximum(s, torch.tensor(0.25))) - 0.5,
    "ReLU of two values": lambda m, s: m.conv2(F.relu(2 * s - 1)),
    "buckets": lambda m, s: m.conv2(torch.bucketize(s, torch.tensor([-0.5, 0.5])).to(s.dtype)) - 1,
    "values of two masks": lambda m, s: m.conv2(F.relu(F.pad(s[..., 1:] * (MASK[..., 1:] + 1.0) - 0.5, (0, 1)))),
    "hsplit": lambda m, s: m.conv2(torch.cat(torch.hsplit(s, 2)[::-1], dim=1)),
}
REFUSED: Mapping[str, tuple[Way, Refusal]] = {
    "int of currents": (lambda m, s: m.conv2(s).int().to(s.dtype), why.FUNCTION),
    "currents of 16 bits": (lambda m, s: m.conv2(s).bfloat16().to(s.dtype), why.NARROWED),
    "a sum of spikes of 16 bits": (lambda m, s: m.conv2((s + m.old).to(torch.float16).to(s.dtype)), why.NARROWED),
    "sums of 16 bits": (lambda m, s: s.sum(1, dtype=torch.bfloat16).to(s.dtype)[:, None].expand_as(s), why.NARROWED),
    "a sum of truth values": (lambda m, s: m.conv2((s.bool() + m.old.bool()).to(s.dtype)), why.FUNCTION),
    "bytes below 0": (lambda m, s: m.conv2((s.byte() - 1).to(s.dtype)), why.FUNCTION),
    "spikes that were scaled": (lambda m, s: m.conv2((2 * s).bool().to(s.dtype)), why.FUNCTION),
    "or": (lambda m, s: m.conv2((s.bool() | m.old.bool()).to(s.dtype)), why.FUNCTION),
    "comparison of sums": (lambda m, s: m.conv2((s + m.old > 0.5).to(s.dtype)), why.FUNCTION),
    "a mask of spikes": (lambda m, s: m.conv2(s).masked_fill(s.bool(), 0.0), why.PRODUCT),
    "lerp by spikes": (lambda m, s: torch.lerp(m.conv2(s), m.frame, s), why.PRODUCT),
    "addcmul of spikes": (lambda m, s: torch.addcmul(s, m.conv2(s), m.old), why.PRODUCT),
    "addmm over samples": (lambda m, s: torch.addmm(BIAS, W[:3, :3], s.flatten(1)).view_as(s), why.OVER_SAMPLES),
    "a mask of the sample": (lambda m, s: torch.where(m.frame > 0, m.conv2(s), s), why.FRONT_END),
    "indices of the sample": (lambda m, s: m.conv2(s).gather(3, m.frame.to(torch.int64)), why.FUNCTION),
    "the samples as layers": (lambda m, s: m.conv2(s)[:, None].squeeze(1).flip(0) - s[None].sum(1), why.MIXED),
    "windows of two sizes": (lambda m, s: F.adaptive_max_pool2d(s, 3).repeat(1, 1, 2, 2)[..., :4, :4], why.POOL_FORM),
    "windows over the end": (
        lambda m, s: F.max_pool2d(s, 3, 2, ceil_mode=True).repeat(1, 1, 2, 2),
        why.POOL_FORM,
    ),
    "the maximum of currents": (lambda m, s: m.conv2(s) + m.conv2(s).amax((2, 3), keepdim=True), why.POOLED_CURRENT),
    "the maximum of two": (lambda m, s: torch.max(m.conv2(s), m.conv1(s)), why.FUNCTION),
    "places by spikes": (
        lambda m, s: torch.zeros(BATCH, *SHAPE).double().masked_scatter(s.bool(), torch.arange(96.0).double()),
        why.PRODUCT,
    ),
    "spikes as boundaries": (
        lambda m, s: torch.bucketize(torch.zeros(BATCH), s.flatten()[:BATCH]).view(-1, 1, 1, 1) + m.conv2(s),
        why.MIXED,
    ),
    "a product of two steps": (lambda m, s: m.conv2(s * m.old), why.PRODUCT),
    "a square of a sum": (lambda m, s: m.conv2((s + m.old) ** 2), why.FUNCTION),
    "the rest of a current": (lambda m, s: m.conv2(s) % 2, why.ROUNDED),
    "a logarithm of nothing": (lambda m, s: m.conv2(torch.log(s)), why.NOT_LINEAR),
    "minus infinity": (lambda m, s: m.conv2(s).masked_fill(MASK, -torch.inf), why.NOT_LINEAR),
    "other samples": (lambda m, s: m.conv2(s[torch.tensor([1, 0, 2])]), why.MIXED),
}


def made(way: Way) -> Between:
    torch.manual_seed(0)
    module = Between(way)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.round(parameter * 10) / 4)
    return module


@pytest.mark.parametrize("name", TAKEN)
def test_linear_functions_are_taken_and_equal_the_modules_own_run(name: str) -> None:
    module = made(TAKEN[name])
    imported = dlm.from_torch(module, sample(), check=sample(1))
    # Weights in steps of 1/4: sums are exact in float32 too.
    own, x = copy.deepcopy(module).eval(), sample(2)
    with torch.no_grad():
        theirs = own(x).transpose(0, 1).flatten(2).numpy() > 0
    assert 0.02 < theirs.mean() < 0.98
    spikes = dlm.run(imported.network, imported.encode(sample(2)), n_steps=len(x)).rasters["lif2"].dense()
    np.testing.assert_array_equal(spikes, theirs)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_linear_is_refused_by_its_name(name: str) -> None:
    way, refusal = REFUSED[name]
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(made(way), sample())
    assert error.value.refusal is refusal, str(error.value)
