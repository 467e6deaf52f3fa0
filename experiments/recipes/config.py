"""The configuration of a run, as typed data; saved whole with every run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dlm_snn.config import Config
from dlm_snn.physics.weights.trainer import DynamicsConfig
from dlm_snn.tasks.parts import DataConfig
from dlm_snn.training.loop import TrainingConfig


class NetworkConfig(Config):
    """A feed-forward network: pixels -> hidden ... -> output.

    Attributes:
        hidden: sizes of the hidden populations.
        winners, groups: at most ``winners`` spikes a step in each of ``groups`` blocks of every hidden population;
            winners null: no competition.
        du, dv: shares of current and voltage lost per step; on the grid of 1/4096 they convert without loss.
        v_threshold: of all neurons.
        seed: of the first weights.
    """

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (128,)
    winners: int | None = 16
    groups: int = 1
    du: float = 1.0
    dv: float = 410 / 4096
    v_threshold: float = 1.0
    seed: int = Field(default=0, ge=0)


class QuantizationConfig(Config):
    """The conversion to integers.

    Attributes:
        weight_bits: 8 down to 3.
        samples: of the training part, on which ranges and losses are measured.
    """

    weight_bits: int = Field(default=8, ge=3, le=8)
    samples: int = Field(default=300, ge=1)


class SimulationConfig(Config):
    """Which simulators run, and on how much.

    Attributes:
        n_steps: steps of every window.
        float_backends, integer_backends: simulators of the float and of the integer network; the first of each is
            what the others are compared with first.
        samples: test samples that every simulator runs; null: all.
        state_samples: of these, on how many u and v are compared too.
        timeout: seconds without progress after which Lava is stopped.
    """

    n_steps: int = Field(default=20, ge=1)
    float_backends: tuple[str, ...] = Field(
        default=("reference", "fast", "torch", "snntorch", "brian2", "lava-float", "lava-fused"), min_length=1
    )
    integer_backends: tuple[str, ...] = Field(
        default=("reference", "fast", "torch", "lava-fixed", "lava-fused"), min_length=1
    )
    samples: int | None = Field(default=None, ge=1)
    state_samples: int = Field(default=20, ge=1)
    timeout: float = Field(default=120.0, gt=0)


class RunConfig(Config):
    """The main job, whole.

    Attributes:
        dynamics: the Dissipative Learning Machine's constants; null: plain training by AdamW.
    """

    data: DataConfig = DataConfig()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    dynamics: DynamicsConfig | None = None
    quantization: QuantizationConfig = QuantizationConfig()
    simulation: SimulationConfig = SimulationConfig()
