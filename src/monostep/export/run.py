"""From a model to a file that another program can run, proved before it is left there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from monostep import inference
from monostep.checkpoints.card import Card
from monostep.errors import SettingError
from monostep.export import comparison, formats, placing
from monostep.export.comparison import Outcome
from monostep.export.description import describe
from monostep.export.trace import trace
from monostep.inference import Inference
from monostep.pictures import as_tensor
from monostep.predictor import Predictor
from monostep.results import map_of


def settings(card: Card, **asked: Any) -> Inference:
    """How the exported graph runs: what was asked (None: not asked) before what the card says.

    Raises:
        SettingError: the graph would need several steps, an ensemble or noise.
    """
    how = inference.resolve(card, **asked, ensemble=1)
    if (how.steps, how.noise) != (1, "zeros"):
        raise SettingError(
            f"{card.name}: steps {how.steps}, noise {how.noise}: an exported graph takes 1 step "
            "from zeros; ask for that (--steps 1 --noise zeros), or export an end-to-end model"
        )
    return how


def export(
    predictor: Predictor,
    path: Path,
    how: Inference,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Write the predictor as one graph in the format of the file's ending, and prove it.

    The graph takes uint8 images [batch, height, width, 3], sRGB, and gives float32: affine depth
    [batch, height, width] in [0, 1], or unit normals [batch, height, width, 3] in the frame opencv,
    or of a joint model both, of images of the domain that `how` says. It is compared with the
    predictor on three pictures before it is moved to its place.

    Args:
        predictor: in float32 on the CPU.
        path: of the file; .onnx, .pt2 or .xml. One that is there is replaced.
        how: from `settings`.
        say: is told what is being done.

    Returns:
        The comparison, picture by picture.

    Raises:
        SettingError: an ending that is no format.
        MissingExtraError: the format's packages are not installed.
        CheckpointError: the file differs from the predictor, and was not written.
        OutputError: the file cannot be written.
    """
    form = formats.by_ending(path)
    with placing.together(path) as beside:
        say("predicting three pictures")
        shown = comparison.pictures(how.resolution)
        results = predictor.predict([as_tensor(picture) for picture in shown], how)
        say("tracing the network")
        program = trace(predictor, how)
        say(f"writing {path}")
        form.write(program, beside, describe(predictor, results[0]))
        del program
        say("comparing")
        kinds = predictor.card.maps
        said = [{kind: map_of(each, kind).values for kind in kinds} for each in results]
        outcomes = comparison.compare(form.reader(beside), shown, said)
        comparison.check(path, outcomes)
    return outcomes
