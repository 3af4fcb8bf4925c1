"""How gradients become steps, and what to try when they lead nowhere."""

import math
from typing import Any

import torch

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.engine.models import VAE


def build_optimizer(config: TrainConfig, model: VAE) -> torch.optim.Optimizer:
    """The optimiser over the network's weights, and a learned scale with its own step size."""
    scale = [value for name, value in model.named_parameters() if name.startswith("likelihood.")]
    network = [
        value for name, value in model.named_parameters() if not name.startswith("likelihood.")
    ]
    groups: list[dict[str, Any]] = [{"params": network, "lr": config.learning_rate}]
    if scale:
        # All D pixels pull at the one scale; Adam divides their sum out again, SGD does not.
        summed = config.optimizer != "adam" and config.reduction == "sum"
        rate = config.scale_learning_rate / (math.prod(model.image_shape) if summed else 1)
        groups.append({"params": scale, "lr": rate})
    if config.optimizer == "adam":
        return torch.optim.Adam(groups, fused=True)
    momentum = 0.9 if config.optimizer == "momentum" else 0.0
    return torch.optim.SGD(groups, momentum=momentum, fused=True)


def advise(config: TrainConfig, learning_rate: float, term: str) -> str:
    """What to try when ``term`` of the loss is no longer a finite number."""
    lower = f"a learning rate below {learning_rate:g}"
    if config.optimizer != "adam":
        return f"Try {lower}, or Adam: the steps of SGD grow with the loss."
    advice = BELIEFS[config.likelihood].advice
    if term == "log likelihood" and advice:
        return f"Try {lower}, or {advice}."
    return f"Try {lower}."
