import pytest
import tiny_models
import torch

from monostep.checkpoints import folder
from monostep.errors import SettingError
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.recipes import recipe
from monostep.training.overriding import override
from monostep.training.student import card_of, new_student, started_student
from monostep.training.teacher import open_teacher

SMALL = ("width=8", "encoder_blocks=[0,0,1]", "decoder_blocks=[1,0,0]", "phases=[[0,16,16,1]]")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return open_teacher(str(tiny_models.depth_folder(tmp_path_factory.mktemp("teacher"))))


def _codec(*settings):
    return override(recipe("distil-decoder"), ["teacher=t", *settings])


def test_a_new_student_is_the_teacher_but_for_the_codec(teacher):
    student = new_student(_codec(*SMALL), teacher)
    latent = torch.randn(1, 4, 4, 4)
    time = 999
    ours, theirs = (
        student.output(latent, latent, time),
        teacher.network.output(latent, latent, time),
    )
    assert torch.equal(ours, theirs)
    assert student.vae is not teacher.network.vae
    assert all(parameter.requires_grad for parameter in student.vae.parameters())
    assert student(torch.zeros(1, 3, 16, 16)).shape == (1, 3, 16, 16)


def test_the_family_is_a_setting(teacher):
    settings = ("family=kl", "channels=[4,4,8]", "groups=4", "phases=[[0,16,16,1]]")
    student = new_student(_codec(*settings), teacher)
    assert isinstance(student.vae, AutoencoderKL)
    assert card_of(_codec(*settings), teacher, student).name == "tiny-depth-kl"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["encoder_blocks=[0,1]", "decoder_blocks=[1,0]"],
            r"2 levels \(factor 2\): the teacher t has 3 levels \(factor 4\); give encoder_blocks",
        ),
        (["family=kl", "channels=[8,8]"], "give channels as many"),
        (["phases=[[0,18,16,1]]"], "18x16 is no multiple of 4"),
    ],
)
def test_a_codec_that_does_not_fit_the_teacher_is_refused(teacher, settings, message):
    with pytest.raises(SettingError, match=message) as error:
        new_student(_codec(*settings), teacher)
    assert "\n" not in str(error.value)


def test_a_student_goes_on_from_a_runs_model_or_a_folder(teacher, tmp_path):
    student = new_student(_codec(*SMALL), teacher)
    card = card_of(_codec(*SMALL), teacher, student)
    folder.save(student, card, tmp_path / "run" / "model")
    for place in (tmp_path / "run", tmp_path / "run" / "model"):
        config = override(recipe("distil-finetune"), [f"start={place}", "phases=[[0,16,16,1]]"])
        again = started_student(config, teacher, result="model")
        assert torch.equal(again(torch.ones(1, 3, 16, 16)), student(torch.ones(1, 3, 16, 16)))
        assert all(parameter.requires_grad for parameter in again.parameters())


def test_a_student_of_another_task_is_refused(teacher, tmp_path):
    place = tiny_models.normals_folder(tmp_path)
    config = override(recipe("distil-finetune"), [f"start={place}"])
    with pytest.raises(SettingError, match="its task is normals, the teacher's depth"):
        started_student(config, teacher, result="model")


def test_the_card_is_the_teachers_with_the_students_own(teacher):
    config = _codec(*SMALL)
    card = card_of(config, teacher, new_student(config, teacher))
    assert (card.task, card.quantity, card.resolution) == ("depth", "depth", 48)
    assert card.source == {"teacher": "tiny-depth", "teacher_hash": teacher.card.tensor_hash}
    assert (card.name, card.grade) == ("tiny-depth-tiny", "user")
    assert card.recipe["teacher"] == "t"
    assert card.scores == {}
    card.check()
