"""Formats and foreign objects: one a file, refusing what they cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "EventFile": "rasters.event_file",
    "ForeignNeuron": "torch_modules.neurons",
    "Format": "format",
    "Options": "format",
    "Returned": "torch_modules.neurons",
    "Session": "rasters.session",
    "Stored": "format",
    "Table": "torch_modules.neurons",
    "Writer": "format",
    "event_file": "rasters.event_files",
    "from_events": "rasters.events",
    "from_frame": "rasters.csv_files",
    "from_monitor": "rasters.arrays",
    "from_neo": "rasters.neo",
    "from_nir_data": "rasters.nir_recording",
    "from_scipy": "rasters.arrays",
    "from_time_first": "rasters.arrays",
    "from_time_last": "rasters.arrays",
    "input_transform": "netx.reader",
    "read_aedat4": "rasters.aedat4",
    "read_bs2": "rasters.nmnist",
    "read_csv": "rasters.csv_files",
    "read_nwb": "rasters.nwb",
    "read_phy": "rasters.sorted_spikes",
    "read_session": "rasters.nwb",
    "read_sorting": "rasters.sorted_spikes",
    "read_timed_csv": "rasters.timed_csv",
    "to_frame": "rasters.csv_files",
    "to_neo": "rasters.neo",
    "to_nir_data": "rasters.nir_recording",
    "to_scipy": "rasters.arrays",
    "to_time_first": "rasters.arrays",
    "to_time_last": "rasters.arrays",
    "write_csv": "rasters.csv_files",
    "write_nwb": "rasters.nwb",
}

__all__ = [
    "EventFile",
    "ForeignNeuron",
    "Format",
    "Options",
    "Returned",
    "Session",
    "Stored",
    "Table",
    "Writer",
    "event_file",
    "from_events",
    "from_frame",
    "from_monitor",
    "from_neo",
    "from_nir_data",
    "from_scipy",
    "from_time_first",
    "from_time_last",
    "input_transform",
    "read_aedat4",
    "read_bs2",
    "read_csv",
    "read_nwb",
    "read_phy",
    "read_session",
    "read_sorting",
    "read_timed_csv",
    "to_frame",
    "to_neo",
    "to_nir_data",
    "to_scipy",
    "to_time_first",
    "to_time_last",
    "write_csv",
    "write_nwb",
]

if TYPE_CHECKING:
    from dlm_snn.exchange.format import Format, Options, Stored, Writer
    from dlm_snn.exchange.netx.reader import input_transform
    from dlm_snn.exchange.rasters.aedat4 import read_aedat4
    from dlm_snn.exchange.rasters.arrays import (
        from_monitor,
        from_scipy,
        from_time_first,
        from_time_last,
        to_scipy,
        to_time_first,
        to_time_last,
    )
    from dlm_snn.exchange.rasters.csv_files import from_frame, read_csv, to_frame, write_csv
    from dlm_snn.exchange.rasters.event_file import EventFile
    from dlm_snn.exchange.rasters.event_files import event_file
    from dlm_snn.exchange.rasters.events import from_events
    from dlm_snn.exchange.rasters.neo import from_neo, to_neo
    from dlm_snn.exchange.rasters.nir_recording import from_nir_data, to_nir_data
    from dlm_snn.exchange.rasters.nmnist import read_bs2
    from dlm_snn.exchange.rasters.nwb import read_nwb, read_session, write_nwb
    from dlm_snn.exchange.rasters.session import Session
    from dlm_snn.exchange.rasters.sorted_spikes import read_phy, read_sorting
    from dlm_snn.exchange.rasters.timed_csv import read_timed_csv
    from dlm_snn.exchange.torch_modules.neurons import ForeignNeuron, Returned, Table

__getattr__, __dir__ = exports(__name__, _HOME)
