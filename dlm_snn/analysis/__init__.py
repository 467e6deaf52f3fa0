"""What spike rasters say: statistics, estimators with intervals and controls, plots, a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Avalanches": "estimators.avalanches_cut",
    "Branching": "estimators.branching",
    "BurstRules": "statistics.bursts",
    "Bursts": "statistics.bursts",
    "Compressed": "estimators.compression",
    "Control": "finding",
    "Correlogram": "statistics.correlograms",
    "Criticality": "estimators.criticality_verdict",
    "Crossover": "estimators.crossover",
    "Damage": "estimators.damage",
    "Exponents": "estimators.avalanches_exponents",
    "Finding": "finding",
    "Intervals": "statistics.trains",
    "Labels": "viewer.page",
    "Likeness": "statistics.synchrony",
    "Membrane": "viewer.membranes",
    "Orbit": "estimators.periods",
    "Overlap": "statistics.tuning",
    "Psth": "statistics.histograms",
    "PulseCoupled": "estimators.lyapunov_events",
    "Silences": "statistics.bursts",
    "Sparsity": "statistics.sparsity",
    "Spectrum": "estimators.spectrum_slope",
    "SpikeTable": "statistics.first_order",
    "Tuning": "statistics.tuning",
    "avalanche_exponents": "estimators.avalanches_exponents",
    "avalanches_of": "estimators.avalanches_cut",
    "branching_ratio": "estimators.branching",
    "bursts": "statistics.bursts",
    "compression": "estimators.compression",
    "correlation_matrix": "statistics.correlation",
    "correlogram": "statistics.correlograms",
    "criticality": "estimators.criticality_verdict",
    "damage_spreading": "estimators.damage",
    "decoder_bound": "estimators.decoder",
    "entropy": "estimators.information_counts",
    "fano_over_trials": "statistics.histograms",
    "fano_bound": "estimators.decoder",
    "find_period": "estimators.periods",
    "finite_size_check": "estimators.crossover",
    "hoyer": "statistics.sparsity",
    "irreversibility": "estimators.irreversibility",
    "irreversibility_of_states": "estimators.irreversibility",
    "isi": "statistics.trains",
    "lyapunov_exponent": "estimators.lyapunov",
    "lyapunov_exponents": "estimators.lyapunov_events",
    "mutual_information": "estimators.information",
    "overlap": "statistics.tuning",
    "pool_information": "estimators.information_pools",
    "population_summary": "statistics.population",
    "power_law_noise": "estimators.spectrum_noise",
    "psth": "statistics.histograms",
    "raster_criticality": "estimators.criticality_raster",
    "raster_of": "taking",
    "raster_spectrum": "estimators.spectrum_raster",
    "rasters_of": "taking",
    "silences": "statistics.bursts",
    "sparsity": "statistics.sparsity",
    "spectrum": "estimators.spectrum_slope",
    "spike_likeness": "statistics.synchrony",
    "spike_table": "statistics.first_order",
    "spike_time_tiling": "statistics.tiling",
    "synchrony": "statistics.synchrony",
    "transfer_entropy": "estimators.transfer",
    "treves_rolls": "statistics.sparsity",
    "tuning": "statistics.tuning",
    "van_rossum_distance": "statistics.distances",
    "victor_purpura_distance": "statistics.distances",
    "view": "viewer.page",
}

__all__ = [
    "Avalanches",
    "Branching",
    "BurstRules",
    "Bursts",
    "Compressed",
    "Control",
    "Correlogram",
    "Criticality",
    "Crossover",
    "Damage",
    "Exponents",
    "Finding",
    "Intervals",
    "Labels",
    "Likeness",
    "Membrane",
    "Orbit",
    "Overlap",
    "Psth",
    "PulseCoupled",
    "Silences",
    "Sparsity",
    "Spectrum",
    "SpikeTable",
    "Tuning",
    "avalanche_exponents",
    "avalanches_of",
    "branching_ratio",
    "bursts",
    "compression",
    "correlation_matrix",
    "correlogram",
    "criticality",
    "damage_spreading",
    "decoder_bound",
    "entropy",
    "fano_bound",
    "fano_over_trials",
    "find_period",
    "finite_size_check",
    "hoyer",
    "irreversibility",
    "irreversibility_of_states",
    "isi",
    "lyapunov_exponent",
    "lyapunov_exponents",
    "mutual_information",
    "overlap",
    "pool_information",
    "population_summary",
    "power_law_noise",
    "psth",
    "raster_criticality",
    "raster_of",
    "raster_spectrum",
    "rasters_of",
    "silences",
    "sparsity",
    "spectrum",
    "spike_likeness",
    "spike_table",
    "spike_time_tiling",
    "synchrony",
    "transfer_entropy",
    "treves_rolls",
    "tuning",
    "van_rossum_distance",
    "victor_purpura_distance",
    "view",
]

if TYPE_CHECKING:
    from dlm_snn.analysis.estimators.avalanches_cut import Avalanches, avalanches_of
    from dlm_snn.analysis.estimators.avalanches_exponents import Exponents, avalanche_exponents
    from dlm_snn.analysis.estimators.branching import Branching, branching_ratio
    from dlm_snn.analysis.estimators.compression import Compressed, compression
    from dlm_snn.analysis.estimators.criticality_raster import raster_criticality
    from dlm_snn.analysis.estimators.criticality_verdict import Criticality, criticality
    from dlm_snn.analysis.estimators.crossover import Crossover, finite_size_check
    from dlm_snn.analysis.estimators.damage import Damage, damage_spreading
    from dlm_snn.analysis.estimators.decoder import decoder_bound, fano_bound
    from dlm_snn.analysis.estimators.information import mutual_information
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
    from dlm_snn.analysis.statistics.bursts import BurstRules, Bursts, Silences, bursts, silences
    from dlm_snn.analysis.statistics.correlation import correlation_matrix
    from dlm_snn.analysis.statistics.correlograms import Correlogram, correlogram
    from dlm_snn.analysis.statistics.distances import van_rossum_distance, victor_purpura_distance
    from dlm_snn.analysis.statistics.first_order import SpikeTable, spike_table
    from dlm_snn.analysis.statistics.histograms import Psth, fano_over_trials, psth
    from dlm_snn.analysis.statistics.population import population_summary
    from dlm_snn.analysis.statistics.sparsity import Sparsity, hoyer, sparsity, treves_rolls
    from dlm_snn.analysis.statistics.synchrony import Likeness, spike_likeness, synchrony
    from dlm_snn.analysis.statistics.tiling import spike_time_tiling
    from dlm_snn.analysis.statistics.trains import Intervals, isi
    from dlm_snn.analysis.statistics.tuning import Overlap, Tuning, overlap, tuning
    from dlm_snn.analysis.taking import raster_of, rasters_of
    from dlm_snn.analysis.viewer.membranes import Membrane
    from dlm_snn.analysis.viewer.page import Labels, view

__getattr__, __dir__ = exports(__name__, _HOME)
