"""A spiking, neuromorphic Dissipative Learning Machine: one network that several simulators agree on spike for spike.

The names below are the public API, with the command line ``dlm-snn``; all else may move.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Comparison": "comparison",
    "Dense": "connections.dense",
    "Sparse": "connections.connection",
    "Pool2d": "connections.pool2d",
    "Conv2d": "connections.conv2d",
    "Chain": "connections.chain",
    "DlmError": "errors",
    "FolderSink": "sink",
    "Input": "network",
    "IntegerLIF": "neurons.integer_lif",
    "IntegerNetwork": "network",
    "IntegerProjection": "network",
    "LIF": "neurons.lif",
    "Network": "network",
    "Projection": "network",
    "QuantizationReport": "quantization",
    "Recording": "recording",
    "SpikeRaster": "raster",
    "UnsupportedError": "errors",
    "accuracy": "metrics",
    "compare": "comparison",
    "from_snntorch": "exchange.snntorch",
    "load": "artefact",
    "quantize": "quantization",
    "read_out": "metrics",
    "run": "backends",
    "read_net": "exchange.netx",
    "read_nir": "exchange.nir",
    "to_snntorch": "exchange.snntorch_writer",
    "write_net": "exchange.netx_writer",
    "write_nir": "exchange.nir_writer",
    "save": "artefact",
    "synaptic_operations": "metrics",
}

__all__ = [
    "LIF",
    "Chain",
    "Comparison",
    "Conv2d",
    "Dense",
    "DlmError",
    "FolderSink",
    "Input",
    "IntegerLIF",
    "IntegerNetwork",
    "IntegerProjection",
    "Network",
    "Pool2d",
    "Projection",
    "QuantizationReport",
    "Recording",
    "Sparse",
    "SpikeRaster",
    "UnsupportedError",
    "accuracy",
    "compare",
    "from_snntorch",
    "load",
    "quantize",
    "read_net",
    "read_nir",
    "read_out",
    "run",
    "save",
    "synaptic_operations",
    "to_snntorch",
    "write_net",
    "write_nir",
]

if TYPE_CHECKING:
    from dlm_snn.artefact import load, save
    from dlm_snn.backends import run
    from dlm_snn.comparison import Comparison, compare
    from dlm_snn.connections.chain import Chain
    from dlm_snn.connections.connection import Sparse
    from dlm_snn.connections.conv2d import Conv2d
    from dlm_snn.connections.dense import Dense
    from dlm_snn.connections.pool2d import Pool2d
    from dlm_snn.errors import DlmError, UnsupportedError
    from dlm_snn.exchange.netx import read_net
    from dlm_snn.exchange.netx_writer import write_net
    from dlm_snn.exchange.nir import read_nir
    from dlm_snn.exchange.nir_writer import write_nir
    from dlm_snn.exchange.snntorch import from_snntorch
    from dlm_snn.exchange.snntorch_writer import to_snntorch
    from dlm_snn.metrics import accuracy, read_out, synaptic_operations
    from dlm_snn.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
    from dlm_snn.neurons.integer_lif import IntegerLIF
    from dlm_snn.neurons.lif import LIF
    from dlm_snn.quantization import QuantizationReport, quantize
    from dlm_snn.raster import SpikeRaster
    from dlm_snn.recording import Recording
    from dlm_snn.sink import FolderSink


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dlm_snn' has no attribute {name!r}")
    value = getattr(import_module(f"dlm_snn.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
