import sys

import marigold_folders
import pytest
import torch

from monostep.checkpoints import opening
from monostep.errors import MissingExtraError
from monostep.inspection import diffusers_pipeline


def test_without_diffusers_one_line_says_what_to_install(tmp_path, monkeypatch):
    folder = marigold_folders.write(tmp_path / "depth", "marigold-depth-v1-1")
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'monostep\[verify\]'"):
        diffusers_pipeline.check(opening.find(folder))


@pytest.mark.filterwarnings("ignore")
def test_it_is_the_pipeline_of_the_task_with_the_files_schedule_and_the_asked_spacing(tmp_path):
    folder = marigold_folders.write(tmp_path / "normals", "marigold-normals-v0-1")
    checkpoint = opening.find(folder)
    diffusers_pipeline.check(checkpoint)
    prompt = torch.zeros(2, 16)
    built = diffusers_pipeline.load(checkpoint, prompt, torch.device("cpu"), spacing="trailing")
    assert type(built).__name__ == "MarigoldNormalsPipeline"
    assert built.scheduler.config.timestep_spacing == "trailing"
    assert built.scheduler.config.set_alpha_to_one is False
    assert built.scheduler.config.clip_sample is False
    torch.testing.assert_close(built.empty_text_embedding, prompt[None])
