"""A discriminator of patches: could this be the photograph of which the faithful decoder shows what symbols say?

Four convolutions, spectral norm (T. Miyato et al., ICLR 2018), the hinge loss (J. H. Lim and J. C. Ye, 2017), given the
faithful picture, as F. Mentzer et al., "High-fidelity generative image compression", NeurIPS 2020, give the latent.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.2


class Critic(nn.Module):
    """Judges overlapping patches of 46 pixels a side, 8 pixels apart."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (6, width, 2 * width, 2 * width)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [spectral_norm(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(SLOPE)]
        layers.append(spectral_norm(nn.Conv2d(widths[-1], 1, 4, 1, 1)))
        self.layers = nn.Sequential(*layers)

    def forward(self, pictures: Tensor, faithful: Tensor) -> Tensor:
        """B×1×h×w, the higher the more like a photograph, of B×3×H×W in 0…1; faithful: what the same symbols say."""
        verdict: Tensor = self.layers(torch.cat([pictures, faithful], 1) * 2 - 1)
        return verdict


def critic_cost(real: Tensor, made_up: Tensor) -> Tensor:
    """What a critic goes down from: hinges on its verdicts on photographs and on what a decoder makes."""
    return F.relu(1 - real.float()).mean() + F.relu(1 + made_up.float()).mean()


def adversarial_cost(made_up: Tensor) -> Tensor:
    """What a decoder goes down from."""
    return -made_up.float().mean()
