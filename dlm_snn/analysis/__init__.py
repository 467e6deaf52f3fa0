"""What spike rasters say: statistics, estimators with intervals and controls, plots, a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Compressed": "estimators.compression",
    "Control": "finding",
    "Damage": "estimators.damage",
    "Finding": "finding",
    "Intervals": "statistics.trains",
    "Labels": "viewer.page",
    "Membrane": "viewer.membranes",
    "Orbit": "estimators.periods",
    "Psth": "statistics.histograms",
    "PulseCoupled": "estimators.lyapunov_events",
    "Spectrum": "estimators.spectrum_slope",
    "SpikeTable": "statistics.first_order",
    "compression": "estimators.compression",
    "damage_spreading": "estimators.damage",
    "decoder_bound": "estimators.information",
    "entropy": "estimators.information_counts",
    "fano_over_trials": "statistics.histograms",
    "find_period": "estimators.periods",
    "irreversibility": "estimators.irreversibility",
    "irreversibility_of_states": "estimators.irreversibility",
    "isi": "statistics.trains",
    "lyapunov_exponent": "estimators.lyapunov",
    "lyapunov_exponents": "estimators.lyapunov_events",
    "mutual_information": "estimators.information",
    "pool_information": "estimators.information_pools",
    "population_summary": "statistics.population",
    "power_law_noise": "estimators.spectrum_noise",
    "psth": "statistics.histograms",
    "raster_of": "taking",
    "raster_spectrum": "estimators.spectrum_raster",
    "rasters_of": "taking",
    "spectrum": "estimators.spectrum_slope",
    "spike_table": "statistics.first_order",
    "transfer_entropy": "estimators.transfer",
    "view": "viewer.page",
}

__all__ = [
    "Compressed",
    "Control",
    "Damage",
    "Finding",
    "Intervals",
    "Labels",
    "Membrane",
    "Orbit",
    "Psth",
    "PulseCoupled",
    "Spectrum",
    "SpikeTable",
    "compression",
    "damage_spreading",
    "decoder_bound",
    "entropy",
    "fano_over_trials",
    "find_period",
    "irreversibility",
    "irreversibility_of_states",
    "isi",
    "lyapunov_exponent",
    "lyapunov_exponents",
    "mutual_information",
    "pool_information",
    "population_summary",
    "power_law_noise",
    "psth",
    "raster_of",
    "raster_spectrum",
    "rasters_of",
    "spectrum",
    "spike_table",
    "transfer_entropy",
    "view",
]

if TYPE_CHECKING:
    from dlm_snn.analysis.estimators.compression import Compressed, compression
    from dlm_snn.analysis.estimators.damage import Damage, damage_spreading
    from dlm_snn.analysis.estimators.information import decoder_bound, mutual_information
    from dlm_snn.analysis.estimators.information_counts import entropy
    from dlm_snn.analysis.estimators.information_pools import pool_information
    from dlm_snn.analysis.estimators.irreversibility import irreversibility, irreversibility_of_states
    from dlm_snn.analysis.estimators.lyapunov import lyapunov_exponent
    from dlm_snn.analysis.estimators.lyapunov_events import PulseCoupled, lyapunov_exponents
    from dlm_snn.analysis.estimators.periods import Orbit, find_period
    from dlm_snn.analysis.estimators.spectrum_noise import power_law_noise
    from dlm_snn.analysis.estimators.spectrum_raster import raster_spectrum
    from dlm_snn.analysis.estimators.spectrum_slope import Spectrum, spectrum
    from dlm_snn.analysis.estimators.transfer import transfer_entropy
    from dlm_snn.analysis.finding import Control, Finding
    from dlm_snn.analysis.statistics.first_order import SpikeTable, spike_table
    from dlm_snn.analysis.statistics.histograms import Psth, fano_over_trials, psth
    from dlm_snn.analysis.statistics.population import population_summary
    from dlm_snn.analysis.statistics.trains import Intervals, isi
    from dlm_snn.analysis.taking import raster_of, rasters_of
    from dlm_snn.analysis.viewer.membranes import Membrane
    from dlm_snn.analysis.viewer.page import Labels, view

__getattr__, __dir__ = exports(__name__, _HOME)
