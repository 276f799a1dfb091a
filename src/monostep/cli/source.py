"""Options that several verbs share: which model, how it is run, on what."""

from typing import Annotated

import typer

Model = Annotated[
    str, typer.Argument(metavar="SOURCE", help="Name (`monostep models`), folder or Hub id.")
]
Task = Annotated[str | None, typer.Option(help="Of a model that does not say: depth or normals.")]
NetworkFrame = Annotated[
    str | None,
    typer.Option(
        "--network-frame",
        help="Axes that a normals network speaks, if it does not say: dsine (E2E-FT) or opengl.",
    ),
]
Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit of a Hub id.")]
Variant = Annotated[str | None, typer.Option(help="Of the weight files, such as fp16.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use only what is on this machine.")]
PromptTokens = Annotated[
    int | None,
    typer.Option(help="Length of the empty prompt: 2, or 77 as E2E-FT models were trained."),
]
Attention = Annotated[
    str | None,
    typer.Option(
        help="Of a model of depth and normals: joint, or separate: neither map sees the other."
    ),
]
Unet = Annotated[
    str | None,
    typer.Option(help="Folder of the UNet, of several: unet, or unet_v2 (GeoWizard's second)."),
]
Domain = Annotated[
    str | None,
    typer.Option(help="Of the images, for GeoWizard's models: indoor, outdoor, object."),
]
Resolution = Annotated[
    int | None,
    typer.Option(
        "--resolution",
        "--processing-res",
        help="Long side in pixels at which the model looks; 0: the image's own.",
    ),
]
Steps = Annotated[int | None, typer.Option("--steps", "--denoise-steps", help="Denoising steps.")]
Ensemble = Annotated[
    int | None, typer.Option("--ensemble", "--ensemble-size", help="Runs to merge.")
]
Spacing = Annotated[str | None, typer.Option(help="Of timesteps: trailing, leading, linspace.")]
Noise = Annotated[
    str | None,
    typer.Option(help="Where it starts: zeros, gaussian, pyramid, pyramid-geowizard."),
]
Last = Annotated[
    str | None,
    typer.Option(help="What the last step returns: clean (E2E-FT), previous (diffusers)."),
]
Seed = Annotated[int | None, typer.Option(help="Of each image's noise.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Dtype = Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")]
