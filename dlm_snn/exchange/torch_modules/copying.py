"""A copy of the user's module that may be run, put to rest and hooked; wrappers taken off."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin

from dlm_snn.exchange.torch_modules.neurons import Table, tensors
from dlm_snn.exchange.torch_modules.refusals import LAZY, NO_COPY, NOT_A_MODULE, ORIGINAL, SCRIPTED, RefusedError


def unwrapped(module: Any) -> nn.Module:
    """The module within DataParallel, DistributedDataParallel and torch.compile.

    Raises:
        RefusedError: no module, or a scripted one.
    """
    while True:
        inner = getattr(module, "_orig_mod", None)
        if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = module.module
        if not isinstance(inner, nn.Module):
            break
        module = inner
    if not isinstance(module, nn.Module):
        raise RefusedError(NOT_A_MODULE, "the module", kind=type(module).__name__)
    if isinstance(module, torch.jit.ScriptModule):
        raise RefusedError(SCRIPTED, "the module")
    return module


def copied(module: nn.Module) -> nn.Module:
    """A deep copy in eval mode, in float64, on the CPU.

    Tensors that are no leaves (pruned weights, membranes after a training step) are copied without their graph, which
    ``copy.deepcopy`` refuses.

    Raises:
        RefusedError: it cannot be copied, or has no parameters yet.
    """
    lazy = [name for name, part in module.named_modules() if isinstance(part, LazyModuleMixin) and _unmade(part)]
    if lazy:
        raise RefusedError(LAZY, "the module", names=", ".join(lazy))
    memo: dict[int, Any] = {}
    for part in module.modules():
        for tensor in tensors([part._buffers, vars(part)]):
            if tensor.grad_fn is not None:
                memo[id(tensor)] = tensor.detach().clone()
    try:
        own = copy.deepcopy(module, memo)
    except Exception as error:
        raise RefusedError(NO_COPY, "the module", error=f"{type(error).__name__}: {error}") from error
    _take_off(own)
    for part in own.modules():
        part._compiled_call_impl = None
        for name, value in vars(part).items():
            if isinstance(value, Tensor) and value.dtype in (torch.float32, torch.float16, torch.bfloat16):
                setattr(part, name, value.detach().double().cpu())
    return own.cpu().double().eval()


def _unmade(part: Any) -> bool:
    return bool(part.has_uninitialized_params())


def _take_off(module: nn.Module) -> None:
    """Wrappers of parts."""
    for part in list(module.modules()):
        for name, child in list(part._modules.items()):
            if child is not None:
                part._modules[name] = unwrapped(child)


@contextmanager
def untouched_modules(given: frozenset[nn.Module], refuse: Callable[[RefusedError], RefusedError]) -> Iterator[None]:
    """Around a run of the copy: no part of the module that was given is called.

    Args:
        given: the parts.
        refuse: told of the refusal, which a forward may catch.
    """

    def check(part: nn.Module, args: Any) -> None:
        if part in given:
            raise refuse(RefusedError(ORIGINAL, f"the module ({type(part).__name__})"))

    hook = nn.modules.module.register_module_forward_pre_hook(check)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def running(module: nn.Module, tables: list[Table], seed: int) -> Iterator[None]:
    """Around a run: neurons at rest, no gradients, float64 by default, draws that leave the user's generator alone."""
    default = torch.get_default_dtype()
    with ExitStack() as stack:
        for table in tables:
            stack.enter_context(table.resting(module))
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(torch.no_grad())
        if "torch._dynamo" in sys.modules:
            # Nothing is compiled without it, and it takes seconds to load.
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        torch.manual_seed(seed)
        torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(default)
