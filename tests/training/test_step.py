"""Step laws: every parameter learns in its own phase and in no other; a share of the batch is a share of the sum."""

import pytest
import torch
from training_photos import OFF_BY_DEFAULT, photos

from argan.config import Config
from argan.draws import Purpose
from argan.models.camera import Fake
from argan.settings import override
from argan.training.gradients import alone
from argan.training.metrics import TickMetrics
from argan.training.state import TrainState, build_state
from argan.training.step import Share, discriminator_step, generator_step, make_fakes, prepare, train_batch

CPU = torch.device("cpu")


def whole(config: Config) -> Share:
    return Share(0, config.data.batch_images, config.data.batch_images)


def trained(config: Config, num_batches: int) -> TrainState:
    state, metrics = build_state(config, CPU), TickMetrics()
    for _ in range(num_batches):
        train_batch(state, photos(state.images_seen, config), whole(config), metrics, alone)
    return state


def run_phase(state: TrainState, phase: str) -> None:
    config = state.config
    share, metrics = whole(config), TickMetrics()
    if phase == "generator":
        generator_step(state, share, metrics, alone)
    else:
        discriminator_step(state, prepare(state, photos(0, config), share), share, metrics, alone)


def wake_expansion(state: TrainState) -> None:
    """T's last layer starts at zero by design; here it is noise, the same each time."""
    assert state.camera.renderer is not None
    assert state.camera.renderer.expansion is not None
    random = torch.Generator().manual_seed(0)
    torch.nn.init.normal_(state.camera.renderer.expansion.last.weight, std=0.1, generator=random)


@pytest.mark.parametrize("method", ["ar-gan", "gan"])
@pytest.mark.parametrize("phase", ["generator", "discriminator"])
def test_each_phase_teaches_its_own_net_all_of_it(config_with_expansion: Config, method: str, phase: str) -> None:
    config = override(config_with_expansion, {"method": method, "optics.expansion": method == "ar-gan"})
    state = build_state(config, CPU)
    if method == "ar-gan":
        wake_expansion(state)
    nets = {"generator": state.camera, "discriminator": state.discriminator}
    before = {name: {k: v.clone() for k, v in net.state_dict().items()} for name, net in nets.items()}
    run_phase(state, phase)
    for name, net in nets.items():
        for key, parameter in net.named_parameters():
            if name == phase:
                assert parameter.grad is not None
                assert float(parameter.grad.abs().max()) > 1e-7, f"{name}.{key} learns nothing"
                assert not torch.equal(parameter, before[name][key]), f"{name}.{key} does not move"
            else:
                assert torch.equal(parameter, before[name][key]), f"{name}.{key} moves in the {phase} phase"
                assert parameter.grad is not None
                assert not parameter.grad.any(), f"{name}.{key} gets gradient in the {phase} phase"


def terms(state: TrainState, fake: Fake) -> dict[str, torch.Tensor]:
    """The formula behind each weight, written out again."""
    D, D_p, d_max = fake.disparity, state.priors, state.config.d_max_px
    apart = D_p - D_p.mean()
    contrast = (D * apart).mean((1, 2, 3)) / apart.square().mean()
    steps = (D[..., 1:] - D[..., :-1]).abs().mean() + (D[..., 1:, :] - D[..., :-1, :]).abs().mean()
    return {
        "prior.weight": ((D - D_p) / d_max).square().mean(),
        "prior.contrast_weight": torch.relu(state.config.prior.contrast_margin - contrast).square().mean(),
        "prior.variation_weight": state.config.resolution * steps / d_max,
        "optics.expansion_weight": fake.expansion.mean(),
    }


WEIGHTS = ("prior.weight", "prior.contrast_weight", "prior.variation_weight", "optics.expansion_weight")


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_term_pulls_by_its_own_gradient_times_its_weight(config_with_expansion: Config, weight: str) -> None:
    """What the generator's gradient gains with a term's weight is the gradient of its formula, that many times."""

    def state_with(value: float) -> TrainState:
        state = build_state(override(config_with_expansion, {weight: value, "compute.precision": "fp64"}), CPU)
        wake_expansion(state)
        return state

    gradients = {}
    for value in (0.0, 1.0, 3.0):
        state = state_with(value)
        run_phase(state, "generator")
        gradients[value] = state.generator_gradients.buffer.clone()

    state = state_with(0.0)
    fake = make_fakes(state, whole(state.config), Purpose.Z_GENERATOR, Purpose.DOF_GENERATOR)
    state.generator_gradients.zero()
    terms(state, fake)[weight].backward()
    pull = state.generator_gradients.buffer
    assert float(pull.abs().max()) > 1e-4
    for value in (1.0, 3.0):
        torch.testing.assert_close(gradients[value] - gradients[0.0], value * pull, rtol=1e-9, atol=1e-13)


def test_gradients_stay_views_of_the_flat_buffer(config: Config) -> None:
    state = trained(config, 3)
    for net, flat in ((state.camera, state.generator_gradients), (state.discriminator, state.discriminator_gradients)):
        first, last = flat.buffer.data_ptr(), flat.buffer.data_ptr() + 4 * flat.buffer.numel()
        for parameter in net.parameters():
            assert parameter.grad is not None
            assert first <= parameter.grad.data_ptr() < last
            assert parameter.grad.stride() == parameter.stride()


@pytest.mark.parametrize("changes", [{}, OFF_BY_DEFAULT])
def test_shares_add_up_to_the_whole(config: Config, changes: dict[str, object]) -> None:
    """Uneven shares: the gradients of 7 and 5 samples, summed, are those of 12."""
    config = override(config, {"compute.precision": "fp64", **changes})
    for phase in ("generator", "discriminator"):
        sums = []
        for shares in ([whole(config)], [Share(0, 7, 12), Share(7, 12, 12)]):
            total: torch.Tensor | float = 0.0
            for share in shares:
                state = build_state(config, CPU)
                if phase == "generator":
                    generator_step(state, share, TickMetrics(), alone)
                    total = total + state.generator_gradients.buffer
                else:
                    real = prepare(state, share.of(photos(0, config)), share)
                    discriminator_step(state, real, share, TickMetrics(), alone)
                    total = total + state.discriminator_gradients.buffer
            sums.append(total)
        torch.testing.assert_close(sums[0], sums[1], rtol=1e-10, atol=1e-13)


def test_a_seed_is_a_run(config: Config) -> None:
    """Twice the same: bit for bit. Another seed: other weights."""
    first, again = trained(config, 4), trained(config, 4)
    other = trained(override(config, {"seed": 1}), 4)
    assert torch.equal(first.generator_gradients.buffer, again.generator_gradients.buffer)
    assert not torch.equal(first.generator_gradients.buffer, other.generator_gradients.buffer)


def test_lazy_r1_has_the_strength_of_the_eager_one(config: Config) -> None:
    """On its batch the penalty counts r1_every_batches times; on the others it is not computed at all."""
    flats = {}
    for every in (1, 4):
        settings = {"optimizer.r1_every_batches": every, "optimizer.r1_gamma": 50.0 / every}
        state = build_state(override(config, {**settings, "compute.precision": "fp64"}), CPU)
        run_phase(state, "discriminator")
        flats[every] = state.discriminator_gradients.buffer.clone()
    torch.testing.assert_close(flats[1], flats[4])
    state, metrics = build_state(config, CPU), TickMetrics()
    seen = []
    for _ in range(8):
        train_batch(state, photos(state.images_seen, config), whole(config), metrics, alone)
        seen.append("loss/r1" in metrics.flush(alone))
    assert seen == [True, False, False, False] * 2


def test_photos_reach_the_discriminator_as_they_are(config: Config) -> None:
    config = override(config, {"data.mirror": False})
    state = build_state(config, CPU)
    batch = photos(0, config)
    real = prepare(state, batch, whole(config))
    assert float(real.min()) >= -1.0
    assert float(real.max()) <= 1.0
    assert torch.equal(((real + 1) * 127.5).round().to(torch.uint8), batch)
    mirrored = prepare(build_state(override(config, {"data.mirror": True}), CPU), batch, whole(config))
    for one, other in zip(real, mirrored, strict=True):
        assert torch.equal(one, other) or torch.equal(one.flip(2), other)
    assert not torch.equal(real, mirrored)


def test_the_discriminator_is_shown_what_the_camera_took(config: Config) -> None:
    """In both steps, and never the deep picture."""
    state = build_state(override(config, {"dof.distribution": "one"}), CPU)
    shown: list[torch.Tensor] = []
    state.discriminator.register_forward_pre_hook(lambda _net, given: shown.append(given[0].detach().clone()))
    for phase, purposes in (
        ("discriminator", (Purpose.Z_DISCRIMINATOR, Purpose.DOF_DISCRIMINATOR)),
        ("generator", (Purpose.Z_GENERATOR, Purpose.DOF_GENERATOR)),
    ):
        fake = make_fakes(state, whole(state.config), *purposes)
        run_phase(state, phase)
        assert torch.equal(shown[-1], fake.photo)
        assert not torch.allclose(fake.photo, fake.deep, atol=1e-3)


def test_learning_rates_are_a_function_of_the_images_seen(config: Config) -> None:
    """A resumed run has those of the run that went on: they are set anew at each batch."""
    config = override(config, {"optimizer.lr_fall_images": 12, "optimizer.discriminator_lr": 3e-4})
    state = trained(config, 5)  # the last batch began at 48 images
    assert state.generator_optimizer.param_groups[0]["lr"] == pytest.approx(config.optimizer.generator_lr / 2)
    assert state.discriminator_optimizer.param_groups[0]["lr"] == pytest.approx(1.5e-4)


def test_real_photos_and_fakes_are_augmented_for_each_step(config: Config) -> None:
    """With the same real photos, fakes are what differs."""
    augmented = override(config, {"augment.shift": 0.25})
    plain = prepare(build_state(config, CPU), photos(0, config), whole(config))
    assert not torch.equal(plain, prepare(build_state(augmented, CPU), photos(0, config), whole(config)))
    for_generator, for_discriminator = [], []
    for each in (config, augmented):
        state = build_state(each, CPU)
        discriminator_step(state, plain.detach().clone(), whole(each), TickMetrics(), alone)
        for_discriminator.append(state.discriminator_gradients.buffer)
        state = build_state(each, CPU)
        generator_step(state, whole(each), TickMetrics(), alone)
        for_generator.append(state.generator_gradients.buffer)
    assert not torch.allclose(*for_generator)
    assert not torch.allclose(*for_discriminator)


@pytest.mark.parametrize("distribution", ["bernoulli", "uniform", "half_normal", "one"])
def test_every_mixture_trains(config: Config, distribution: str) -> None:
    state = trained(override(config, {"dof.distribution": distribution}), 2)
    assert torch.isfinite(state.generator_gradients.buffer).all()
    assert float(state.generator_gradients.buffer.abs().max()) > 0


def test_bf16_nets_keep_optics_and_losses_in_fp32(config: Config) -> None:
    """Under autocast the nets round, by about one part in a hundred; what they hand over is fp32."""
    state = build_state(override(config, {"compute.precision": "bf16"}), CPU)
    exact = build_state(config, CPU)
    share = whole(config)
    with torch.no_grad():
        fake, expected = (make_fakes(s, share, Purpose.Z_GENERATOR, Purpose.DOF_GENERATOR) for s in (state, exact))
    for name, tensor in fake._asdict().items():
        assert tensor.dtype == torch.float32, name
        assert not torch.equal(fake.deep, expected.deep)  # the nets did run in bf16
        assert float((tensor - expected._asdict()[name]).abs().mean()) < 0.02, name


def test_r1_stays_in_fp32_beside_bf16_nets(config: Config) -> None:
    """On a batch with R1 the real photos go through C in full: the very numbers of a run in fp32."""
    found = {}
    for precision in ("bf16", "fp32"):
        state, metrics = build_state(override(config, {"compute.precision": precision}), CPU), TickMetrics()
        discriminator_step(state, prepare(state, photos(0, config), whole(config)), whole(config), metrics, alone)
        found[precision] = metrics.flush(alone)
    for name in ("loss/r1", "score/real"):
        assert found["bf16"][name] == found["fp32"][name], name
    assert found["bf16"]["score/fake"] != found["fp32"]["score/fake"]


# The compiler looks at .grad of what it traces and makes an autograd.Function object, and torch warns of both.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.filterwarnings("ignore:.*Function'> should not be instantiated:DeprecationWarning")
def test_compiled_nets_train_through_r1(config: Config) -> None:
    """The compiled discriminator is passed by where R1 differentiates twice. The backend traces but generates no
    code.
    """
    state = build_state(config, CPU)
    state.camera.generator.compile(backend="aot_eager")
    state.discriminator.compile(backend="aot_eager")
    plain = build_state(config, CPU)
    for each in (state, plain):
        train_batch(each, photos(0, config), whole(config), TickMetrics(), alone)
    torch.testing.assert_close(state.discriminator_gradients.buffer, plain.discriminator_gradients.buffer)
    torch.testing.assert_close(state.generator_gradients.buffer, plain.generator_gradients.buffer)
