"""The configuration of a run, as typed data; saved whole with every run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dlm_snn.config import Config
from dlm_snn.physics.weights.trainer import DynamicsConfig
from dlm_snn.tasks.parts import DataConfig
from dlm_snn.training.loop import TrainingConfig


class InhibitionConfig(Config):
    """Competition within every hidden population from stock neurons and synapses, as chips have it.

    Attributes:
        kind: "lateral" (each neuron inhibits every other, one step late) or "counting" (neurons that count spikes
            inhibit all, two steps late).
        weight: of a spike, negative.
        neurons, spacing: how many count, and the spikes between one and the next.
        learned: whether the weights of the inhibition are trained with the others.
    """

    kind: Literal["lateral", "counting"] = "lateral"
    weight: float = Field(default=-0.03, lt=0)
    neurons: int = Field(default=16, ge=1)
    spacing: int = Field(default=4, ge=1)
    learned: bool = False


class NetworkConfig(Config):
    """A feed-forward network: pixels -> hidden ... -> output.

    Attributes:
        hidden: sizes of the hidden populations.
        winners, groups: at most ``winners`` spikes a step in each of ``groups`` blocks of every hidden population;
            winners null: no competition.
        inhibition: in the place of winners, in every hidden population; null: none.
        du, dv: shares of current and voltage lost per step; on the grid of 1/4096 they convert without loss.
        v_threshold: of all neurons.
        seed: of the first weights.
    """

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (128,)
    winners: int | None = 16
    groups: int = 1
    inhibition: InhibitionConfig | None = None
    du: float = 1.0
    dv: float = 410 / 4096
    v_threshold: float = 1.0
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_competition(self) -> NetworkConfig:
        if self.inhibition is not None and self.winners is not None:
            raise ValueError("inhibition stands in the place of winners; set network.winners to null")
        return self


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
