import json

import pytest
import torch

from monostep.export import program_file


@pytest.mark.slow
def test_the_written_program_says_what_the_predictor_says(
    program, description, micro, noise, assert_close, tmp_path
):
    path = tmp_path / "model.pt2"
    program_file.write(program, path, description)
    run = program_file.reader(path)
    for size in [(18, 24), (43, 31), (1, 1), (90, 40)]:
        image = noise(*size)
        assert_close(run(image[None])[0][0], micro("depth")(image).values, size)
    extra = {"monostep.json": ""}
    torch.export.load(path, extra_files=extra)
    assert json.loads(extra["monostep.json"]) == description.values
