"""Functions of torch by what they do to a linear map of spikes: the tables that say what is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

SUMS = frozenset({"add", "radd", "iadd"})
DIFFERENCES = frozenset({"sub", "rsub", "isub", "subtract"})
PRODUCTS = frozenset({"mul", "rmul", "imul", "multiply", "neg", "negative"})
QUOTIENTS = frozenset({"div", "rdiv", "truediv", "rtruediv", "itruediv", "divide", "true_divide"})
WHOLE = frozenset({"int", "long", "bool", "short", "byte", "char"})
"""Casts that keep spikes and cut off what is more."""
CASTS = frozenset({"float", "double", "half", "bfloat16", "to", "type", "type_as", "cpu", "cuda"})
HALVES = frozenset(
    kind for name in dir(torch) if isinstance(kind := getattr(torch, name), torch.dtype) and kind.is_floating_point
) - {torch.float32, torch.float64}
"""Floats of fewer bits than float32."""
DROPOUTS = frozenset({"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout"})
ARRANGING = frozenset(
    {
        *("view", "reshape", "view_as", "reshape_as", "flatten", "unflatten", "ravel", "squeeze", "unsqueeze"),
        *("clone", "detach", "contiguous", "data", "requires_grad", "alias", "positive"),
        *("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "T", "mT", "t"),
        *("getitem", "narrow", "select", "chunk", "split", "tensor_split", "unbind", "index_select", "take_along_dim"),
        *("flip", "fliplr", "flipud", "roll", "rot90", "expand", "expand_as", "repeat", "tile", "broadcast_to"),
        *("repeat_interleave", "pad", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "upsample_nearest"),
        *("cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "gather"),
        *("hsplit", "vsplit", "dsplit", "atleast_1d", "atleast_2d", "atleast_3d", "adjoint", "H", "mH"),
        *("diagonal", "diag_embed", "tril", "triu", "take", "index_fill", "index_copy", "scatter"),
        *("select_scatter", "slice_scatter", "diagonal_scatter"),
    }
)
"""They put values to other places, or leave them where they are."""
MASKED = frozenset({"where", "masked_fill", "masked_select", "masked_scatter"})
"""They do so where a mask says it."""
BY_PLACE = MASKED | {
    *("getitem", "gather", "take", "take_along_dim", "index_select", "index_fill", "index_copy", "index_add"),
    *("scatter", "scatter_add"),
}
"""They take masks or indices."""
BLENDS = frozenset({"lerp", "addcmul", "addcdiv"})
"""Sums of several tensors, each times a factor of its own."""
ELEMENTWISE = frozenset(
    {
        *("gt", "ge", "lt", "le", "eq", "ne", "greater", "greater_equal", "less", "less_equal", "not_equal"),
        *("logical_not", "bitwise_not", "invert", "heaviside", "sign", "sgn", "signbit", "abs", "absolute"),
        *("square", "pow", "ipow", "sqrt", "round", "floor", "ceil", "trunc", "frac", "clamp", "clip"),
        *("clamp_min", "clamp_max", "relu", "relu6", "leaky_relu", "hardtanh", "sigmoid", "tanh", "exp", "expm1"),
        *("elu", "selu", "gelu", "silu", "softplus", "hardsigmoid", "hardswish", "threshold", "nan_to_num", "mish"),
        *("celu", "softsign", "tanhshrink", "softshrink", "hardshrink", "logsigmoid", "rpow", "float_power", "exp2"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "erfc"),
        *("log", "log1p", "log2", "log10", "rsqrt", "reciprocal", "sinc", "logit", "xlogy", "hypot", "atan2"),
        *("mod", "rmod", "fmod", "remainder", "floordiv", "rfloordiv", "floor_divide", "bucketize"),
        *("maximum", "minimum", "fmax", "fmin", "logical_and", "logical_or", "logical_xor", "and", "or", "xor"),
        *("ror", "rxor", "bitwise_and", "bitwise_or", "bitwise_xor"),
    }
)
"""Of one tensor and constants, value by value: of something with two values, as spikes have, each is linear."""
LINEAR = frozenset(
    {
        *("avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d"),
        *("adaptive_avg_pool3d", "sum", "nansum", "mean", "cumsum", "interpolate", "upsample", "unfold", "fold"),
    }
)
"""Linear without weights; what they do is found by probing."""
WEIGHTED = frozenset(
    {
        *("linear", "matmul", "mm", "rmatmul", "bmm", "einsum", "tensordot", "inner", "bilinear", "kron"),
        *("addmm", "addmv", "baddbmm", "addbmm", "linalg_matmul", "linalg_multi_dot", "sparse_mm"),
        *("index_add", "scatter_add"),
        *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "batch_norm"),
        "lp_pool2d",
    }
)
"""Linear with weights: what enters the first of them is the input."""
MAX_POOLS = frozenset(
    {
        *("max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "amax", "max"),
        *("max_pool1d_with_indices", "max_pool2d_with_indices"),
        *("adaptive_max_pool1d_with_indices", "adaptive_max_pool2d_with_indices"),
    }
)
CREATING = frozenset(
    {"zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty"}
)
"""Their results have the shape of a tensor and nothing of its values."""
RANDOM = frozenset(
    {
        *("rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "bernoulli", "normal"),
        *("poisson", "multinomial", "uniform", "exponential", "geometric", "cauchy", "log_normal", "random"),
        *("gumbel_softmax", "rrelu", "binomial", "native_dropout"),
    }
)
METADATA = frozenset(
    {
        *("shape", "size", "dim", "ndim", "numel", "nelement", "len", "dtype", "device", "layout", "stride", "names"),
        *("is_floating_point", "is_complex", "is_contiguous", "is_cuda", "is_cpu", "is_sparse", "is_leaf", "is_meta"),
        *("requires_grad", "grad", "grad_fn", "element_size", "storage_offset", "get_device", "hash", "is_same_size"),
        *("itemsize", "nbytes", "_version", "is_quantized", "is_mps", "is_xpu", "is_nested", "is_inference", "repr"),
        *("_is_view", "_base", "output_nr", "retains_grad", "retain_grad", "register_hook", "is_signed", "dim_order"),
        *("set_grad_enabled", "format", "is_conj", "is_neg", "is_pinned", "set"),
    }
)
"""They tell about a tensor, not about its values."""
GATHERING = ARRANGING | MASKED | SUMS | DIFFERENCES | PRODUCTS | QUOTIENTS | CASTS | WHOLE | LINEAR | {"setitem", "set"}
"""They collect the outputs of all steps, and count them."""
DECIDING = frozenset(
    {"softmax", "log_softmax", "sigmoid", "max", "amax", "argmax", "topk", "sort", "argsort", "median"}
)
"""What a read-out's values may go through behind the network."""
COMPARING = frozenset({"gt", "ge", "lt", "le", "greater", "greater_equal", "less", "less_equal", "heaviside", "sign"})
"""What makes spikes in a neuron written by hand."""
COUNTING = ARRANGING | SUMS | DIFFERENCES | PRODUCTS | {"sum", "cumsum", *WEIGHTED}
"""They make whole numbers of whole numbers."""
ON_DATA = ARRANGING | MASKED | SUMS | DIFFERENCES | PRODUCTS | QUOTIENTS | CASTS | LINEAR | DROPOUTS
"""Affine: what they make of the sample is still the sample. Anything else is a front end."""


ROUNDING = frozenset(
    {
        *("floordiv", "rfloordiv", "ifloordiv", "floor_divide", "floor", "ceil", "round", "trunc", "fix", "frac"),
        *("mod", "rmod", "imod", "fmod", "remainder"),
    }
)


def name_of(func: Callable[..., Any]) -> tuple[str, bool]:
    """A function's name without underscores around it, and whether it changes its first argument in place."""
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        return getattr(func.__self__, "__name__", name), False  # type: ignore[attr-defined]
    if name == "__set__":
        return "set", getattr(func.__self__, "__name__", "") == "data"  # type: ignore[attr-defined]
    if name.startswith("__") and name.endswith("__"):
        bare = name[2:-2]
        if bare in ("float", "int", "bool", "index", "complex"):
            return name, False
        return bare, bare == "setitem" or (bare.startswith("i") and bare[1:] in _OPERATORS)
    return name.strip("_"), name.endswith("_")


_OPERATORS = {
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "matmul",
}
