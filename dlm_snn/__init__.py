"""A spiking, neuromorphic Dissipative Learning Machine: one network that several simulators agree on spike for spike.

The names below are the public API, with the command line ``dlm-snn``; all else may move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

__version__ = "0.1.0"

_HOME = {
    "Comparison": "runs.comparison",
    "Dense": "connections.dense",
    "Sparse": "connections.connection",
    "Pool2d": "connections.pool2d",
    "Conv2d": "connections.conv2d",
    "Chain": "connections.chain",
    "DlmError": "errors",
    "FolderSink": "runs.sink",
    "Input": "networks.network",
    "IntegerLI": "neurons.li",
    "IntegerLIF": "neurons.integer_lif",
    "IntegerNetwork": "networks.network",
    "IntegerProjection": "networks.network",
    "LI": "neurons.li",
    "LIF": "neurons.lif",
    "Network": "networks.network",
    "Projection": "networks.network",
    "QuantizationReport": "conversion.quantization",
    "Recording": "runs.recording",
    "SpikeRaster": "runs.raster",
    "UnsupportedError": "errors",
    "accuracy": "runs.metrics",
    "compare": "runs.comparison",
    "from_snntorch": "exchange.torch_modules.stacks",
    "from_torch": "exchange.torch_modules.reading",
    "Imported": "exchange.torch_modules.reading",
    "load": "networks.artifact",
    "quantize": "conversion.quantization",
    "read_out": "runs.metrics",
    "run": "backends",
    "read_net": "exchange.netx.reader",
    "read_nir": "exchange.nir.reader",
    "to_snntorch": "exchange.snntorch.writer",
    "write_net": "exchange.netx.writer",
    "write_nir": "exchange.nir.writer",
    "save": "networks.artifact",
    "synaptic_operations": "runs.metrics",
}

__all__ = [
    "LI",
    "LIF",
    "Chain",
    "Comparison",
    "Conv2d",
    "Dense",
    "DlmError",
    "FolderSink",
    "Imported",
    "Input",
    "IntegerLI",
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
    "from_torch",
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
    from dlm_snn.backends import run
    from dlm_snn.connections.chain import Chain
    from dlm_snn.connections.connection import Sparse
    from dlm_snn.connections.conv2d import Conv2d
    from dlm_snn.connections.dense import Dense
    from dlm_snn.connections.pool2d import Pool2d
    from dlm_snn.conversion.quantization import QuantizationReport, quantize
    from dlm_snn.errors import DlmError, UnsupportedError
    from dlm_snn.exchange.netx.reader import read_net
    from dlm_snn.exchange.netx.writer import write_net
    from dlm_snn.exchange.nir.reader import read_nir
    from dlm_snn.exchange.nir.writer import write_nir
    from dlm_snn.exchange.snntorch.writer import to_snntorch
    from dlm_snn.exchange.torch_modules.reading import Imported, from_torch
    from dlm_snn.exchange.torch_modules.stacks import from_snntorch
    from dlm_snn.networks.artifact import load, save
    from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
    from dlm_snn.neurons.integer_lif import IntegerLIF
    from dlm_snn.neurons.li import LI, IntegerLI
    from dlm_snn.neurons.lif import LIF
    from dlm_snn.runs.comparison import Comparison, compare
    from dlm_snn.runs.metrics import accuracy, read_out, synaptic_operations
    from dlm_snn.runs.raster import SpikeRaster
    from dlm_snn.runs.recording import Recording
    from dlm_snn.runs.sink import FolderSink


__getattr__, __dir__ = exports(__name__, _HOME)
