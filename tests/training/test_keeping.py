import line_task
import micro_models
import pytest
import torch

from monostep.checkpoints import folder, opening
from monostep.errors import CheckpointError
from monostep.files.atomic import read_json
from monostep.training import low_rank
from monostep.training.keeping import RESULT, AutoencoderKeeper, BaseKeeper, ModelKeeper
from monostep.training.precision import Frozen
from monostep.training.world import World

ALONE = World(device=line_task.HERE)


@pytest.fixture
def opened(tmp_path):
    return folder.load(micro_models.write(tmp_path / "start"))


def _keeper(opened, run, **others):
    model, card = opened
    others = {"world": ALONE, **others}
    return ModelKeeper(model=model, card=card, run=run, **others)


def _same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one | other)


def test_the_result_is_the_model_and_its_card_says_how_good_it_is(opened, tmp_path):
    _keeper(opened, tmp_path)(step=7, scores={"abs_rel": 0.25})
    kept, card = folder.load(tmp_path / RESULT, verify=True)
    assert _same(kept.state_dict(), opened[0].state_dict())
    assert card.scores == {"validation": {"abs_rel": 0.25, "step": 7}}


def test_adapters_are_merged_in_the_result_and_go_on_learning(opened, tmp_path):
    model, _ = opened
    names = set(model.state_dict())
    low_rank.adapt(model.unet, 2)
    for name, weight in model.unet.named_parameters():
        if name.endswith(".b"):
            torch.nn.init.normal_(weight)
    _keeper(opened, tmp_path)(step=1, scores={"abs_rel": 1.0})
    kept, _ = folder.load(tmp_path / RESULT, verify=True)
    assert set(kept.state_dict()) == names
    image = torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        torch.testing.assert_close(kept(image), model(image))
    assert any("parametrizations" in name for name in model.state_dict())


def test_a_cast_autoencoder_is_kept_with_all_its_bits(opened, tmp_path):
    model, _ = opened
    before = {name: tensor.clone() for name, tensor in model.vae.state_dict().items()}
    frozen = Frozen(torch.bfloat16, model.vae)
    _keeper(opened, tmp_path, frozen=frozen)(step=1, scores={"abs_rel": 1.0})
    kept, _ = folder.load(tmp_path / RESULT, verify=True)
    assert _same(kept.vae.state_dict(), before)


def test_only_the_leading_process_writes(opened, tmp_path):
    second = World(device=line_task.HERE, rank=1, size=2)
    _keeper(opened, tmp_path, world=second)(step=1, scores={"abs_rel": 1.0})
    AutoencoderKeeper(autoencoder=opened[0].vae, run=tmp_path, world=second)(
        step=1, scores={"abs_rel": 1.0}
    )
    assert not (tmp_path / RESULT).exists()


def test_an_autoencoder_is_kept_alone(opened, tmp_path):
    AutoencoderKeeper(autoencoder=opened[0].vae, run=tmp_path, world=ALONE)(
        step=1, scores={"abs_rel": 1.0}
    )
    kept = folder.load_autoencoder(tmp_path / RESULT)
    assert _same(kept.state_dict(), opened[0].vae.state_dict())


def test_a_base_model_is_kept_as_stable_diffusions_folder(opened, tmp_path):
    model, _ = opened
    run = tmp_path / "run"
    BaseKeeper(model=model, run=run, world=ALONE)(step=3, scores={"denoising_error": 0.5})
    found = opening.find(run / RESULT, task="normals", frame="opengl")
    assert (found.card.family, found.card.task) == ("end-to-end", "normals")
    assert _same(opening.load(found).state_dict(), model.state_dict())
    assert read_json(run / RESULT / "scores.json") == {"step": 3, "denoising_error": 0.5}
    with pytest.raises(CheckpointError, match="task"):
        opening.find(run / RESULT)
