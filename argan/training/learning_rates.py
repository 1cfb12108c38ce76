"""How fast both nets learn at a moment of training; its clock is images, as all clocks are."""

from argan.config import OptimizerConfig
from argan.training.state import TrainState


def set_learning_rates(state: TrainState) -> None:
    optimizer = state.config.optimizer
    share = learning_rate_share(state.images_seen, optimizer)
    for adam, lr in (
        (state.generator_optimizer, optimizer.generator_lr),
        (state.discriminator_optimizer, optimizer.discriminator_lr),
    ):
        for group in adam.param_groups:
            group["lr"] = lr * share


def learning_rate_share(images_seen: int, optimizer: OptimizerConfig) -> float:
    """Of the configured rates: 1, then falling as 1 / sqrt(images) (as in EDM2, Karras et al. 2024; ours for GANs). It
    does not know where training will end, so a run may be prolonged.
    """
    fall_images = optimizer.lr_fall_images
    return 1.0 if fall_images == 0 else min(1.0, (fall_images / max(images_seen, 1)) ** 0.5)
