"""The DLM-SNN by gradient: sparse spiking codes, Langevin weights, dissipation at events, and what may be added."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.learning.descent import ewc, homeostasis, metaplasticity, sleep
from dlm_snn.learning.descent.loop import Batch, Descent, DescentOptions, Piece, optimizer
from dlm_snn.learning.descent.mlp import checked
from dlm_snn.learning.descent.spiking import Spiking
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import Network
from dlm_snn.neurons.lif import LIF
from dlm_snn.physics.weights.dissipation import dissipate
from dlm_snn.physics.weights.optimizer import Langevin
from dlm_snn.training.initial import initial_network

EWC_SAMPLES = 200
"""Kept until a task ends, where elastic weight consolidation is on."""
DENSE_RATE = 0.1
"""What homeostasis aims at where nothing competes."""


class GradientOptions(DescentOptions):
    """Of the spiking network by gradient; see DescentOptions for the rest.

    Attributes:
        hidden: neurons of the hidden layer.
        winners: of them may spike in a step; null: no competition.
        n_steps: of a sample's window, over which the pixels are held.
        dv, dv_output: leak of hidden and of output neurons; dv = 1: the same neurons win in every step.
        v_threshold: of hidden neurons.
        slope: of the arctangent surrogate.
        logit_scale: logits = logit_scale * output spikes.
        optimiser: "sgd", "adam" or "langevin", with lr as the step h.
        temperature, friction, alpha: of "langevin"; friction null is the overdamped form.
        dissipation: share of a hidden synapse lost where pre and post are active in all samples of a batch.
        dissipates_at: "event", or "clock" with the same mean strength, its control.
        ewc: lambda of elastic weight consolidation; 0: none.
        consolidation: rate at which active synapses become slow; 0: none.
        homeostasis: rate of synaptic scaling; 0: none.
        sleep: batches between two sleeps; 0: none.
    """

    hidden: int = Field(default=1000, ge=1)
    winners: int | None = Field(default=20, ge=1)
    n_steps: int = Field(default=10, ge=1)
    dv: float = Field(default=1.0, ge=0, le=1)
    dv_output: float = Field(default=0.1, ge=0, le=1)
    v_threshold: float = Field(default=0.2, ge=0)
    slope: float = Field(default=2.0, gt=0)
    logit_scale: float = Field(default=0.5, gt=0)
    optimiser: Literal["adam", "sgd", "langevin"] = "sgd"  # type: ignore[assignment]
    lr: float = Field(default=0.02, gt=0)
    batch: int = Field(default=128, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    friction: float | None = Field(default=None, gt=0)
    alpha: float = Field(default=0.0, ge=0)
    dissipation: float = Field(default=0.0, ge=0, le=1)
    dissipates_at: Literal["event", "clock"] = "event"
    ewc: float = Field(default=0.0, ge=0)
    consolidation: float = Field(default=0.0, ge=0)
    homeostasis: float = Field(default=0.0, ge=0, lt=1)
    sleep: int = Field(default=0, ge=0)


def make_gradient(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A spiking network, pixels -> k-winners-take-all -> output, that follows the surrogate gradient.

    Options: see GradientOptions.

    Raises:
        DlmError: an option that is unknown or out of range, or more winners than neurons.
    """
    chosen = checked(GradientOptions, "gradient", options)
    if chosen.winners is not None and chosen.winners > chosen.hidden:
        raise DlmError(f"learner 'gradient': winners = {chosen.winners} of {chosen.hidden} hidden neurons; give fewer")
    if chosen.optimiser != "langevin" and (chosen.temperature or chosen.alpha or chosen.friction is not None):
        raise DlmError("learner 'gradient': temperature, friction and alpha go with optimiser = langevin")
    network = _first_network(setting, rng, chosen)
    model = Spiking(network, chosen.n_steps, chosen.slope, chosen.logit_scale)
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    declaration = Declaration(
        front_end="pixels, held graded input",
        winner="spikes",
        boundary=chosen.ewc > 0 or chosen.label_at_test,
        label_at_test=chosen.label_at_test,
        stored_samples=EWC_SAMPLES if chosen.ewc else 0,
    )
    moves = _optimizer(model.parameters, chosen, generator)
    return Descent(setting, model, moves, chosen, _pieces(model, chosen), declaration)


def _first_network(setting: Setting, rng: np.random.Generator, chosen: GradientOptions) -> Network:
    network = initial_network(
        math.prod(setting.shape),
        (chosen.hidden,),
        setting.n_classes,
        rng,
        dv=chosen.dv,
        v_threshold=chosen.v_threshold,
        winners=chosen.winners,
        graded_bits=setting.graded_bits,
        scale=setting.scale,
    )
    output = LIF((setting.n_classes,), dv=chosen.dv_output, v_threshold=1.0)
    return Network({**network.populations, "output": output}, network.projections)


def _optimizer(
    parameters: Sequence[Tensor], chosen: GradientOptions, generator: torch.Generator
) -> torch.optim.Optimizer:
    if chosen.optimiser != "langevin":
        return optimizer(parameters, chosen)
    return Langevin(
        parameters,
        chosen.lr,
        generator,
        temperature=chosen.temperature,
        friction=chosen.friction,
        alpha=chosen.alpha,
        warmup=0,
    )


def _pieces(model: Spiking, chosen: GradientOptions) -> list[Piece]:
    """What is switched on: consolidation acts on the gradient, the others on the weights after the step."""
    pieces = []
    if chosen.consolidation:
        pieces.append(metaplasticity.piece(model, chosen.consolidation))
    if chosen.ewc:
        masks = chosen.present or chosen.label_at_test
        pieces.append(ewc.piece(model, chosen.ewc, chosen.lr, masks, EWC_SAMPLES))
    if chosen.dissipation:
        dissipation = _Dissipation(model, chosen.dissipation, chosen.dissipates_at)
        pieces.append(Piece(after_step=dissipation.after_step))
    if chosen.homeostasis:
        target = DENSE_RATE if chosen.winners is None else chosen.winners / chosen.hidden
        pieces.append(homeostasis.piece(model, chosen.homeostasis, target))
    if chosen.sleep:
        pieces.append(sleep.piece(model, chosen.sleep))
    return pieces


class _Dissipation:
    """Synapses onto hidden neurons decay at events of their own neurons; see ``physics.dissipation``."""

    def __init__(self, model: Spiking, rate: float, kind: Literal["event", "clock"]) -> None:
        self._model, self._rate, self._kind = model, rate, kind

    def after_step(self, batch: Batch) -> None:
        """Decay."""
        for pre, post, weight in self._model.synapses:
            if post != "output":
                dissipate(weight, self._model.active[post], self._model.active[pre], self._rate, self._kind)
