"""A small variational autoencoder of pixels, for generative learners."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, linear

from dlm_snn.training.initial import first_weights


class Vae:
    """z ~ N(m(x), diag exp(l(x))), x ~ Bernoulli(p(z)); one hidden layer of rectified units on either side.

    Pixels are real values in 0..1, taken as the chances of black and white ones.

    Args:
        n_features, hidden, latent: pixels, units of a hidden layer, size of z.
        rng: draws the first weights.

    Source: Kingma and Welling, ICLR 2014.
    """

    def __init__(self, n_features: int, hidden: int, latent: int, rng: np.random.Generator) -> None:
        self.latent = latent
        shapes = ((hidden, n_features), (2 * latent, hidden), (hidden, latent), (n_features, hidden))
        self._weights = [torch.tensor(first_weights(rng, *shape), device="cpu") for shape in shapes]
        self._biases = [torch.zeros(post, dtype=torch.float32, device="cpu") for post, _ in shapes]
        self.parameters = [p.requires_grad_() for p in (*self._weights, *self._biases)]

    def _layer(self, index: int, x: Tensor) -> Tensor:
        return linear(x, self._weights[index], self._biases[index])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z, (sample, latent)."""
        mean, log_variance = self._layer(1, torch.relu(self._layer(0, x))).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:
        """(..., latent) -> logits of the pixels."""
        return self._layer(3, torch.relu(self._layer(2, z)))

    def loss(self, x: Tensor, noise: Tensor) -> Tensor:
        """The negative evidence bound of each sample, in nats; ``noise`` is normal, (sample, latent)."""
        mean, log_variance = self.encode(x)
        z = mean + noise * (log_variance / 2).exp()
        missed = binary_cross_entropy_with_logits(self.decode(z), x, reduction="none").sum(1)
        return missed + (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2

    @torch.no_grad()
    def log_likelihood(self, x: Tensor, noise: Tensor) -> Tensor:
        """log 1/S sum_s p(x | z_s) p(z_s) / q(z_s | x), of each sample; a lower bound by importance.

        Args:
            x: (sample, feature).
            noise: (S, latent), the same for all samples, so that the answer is a function of x.
        """
        mean, log_variance = self.encode(x)
        z = mean + noise[:, None] * (log_variance / 2).exp()
        logits = self.decode(z)
        # sum of x l - log(1 + exp l) over pixels: the product is one matrix operation, the rest has no x.
        fits = torch.einsum("snf,nf->sn", logits, x) - torch.nn.functional.softplus(logits).sum(2)
        weight = (noise.square()[:, None] + log_variance - z.square()).sum(2) / 2
        return (fits + weight).logsumexp(0) - math.log(len(noise))

    def copy(self) -> Vae:
        """The same with weights of its own."""
        return copy.deepcopy(self)
