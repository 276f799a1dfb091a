import diffusers_joint
import diffusers_twin
import torch

from monostep.inspection import joint_processor
from monostep.network.sizes import TINY_JOINT_UNET


def _outputs(install):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        unet = diffusers_twin.unet(TINY_JOINT_UNET).eval()
        latent, context = torch.randn(4, 8, 6, 4), torch.randn(4, 1, TINY_JOINT_UNET.context)
        classes = torch.randn(4, 10)
    install(unet)
    with torch.no_grad():
        return unet(latent, 999, context, class_labels=classes).sample


def test_it_is_attention_to_the_tokens_of_both_halves_written_out():
    joint = _outputs(joint_processor.install)
    torch.testing.assert_close(joint, _outputs(diffusers_joint.install), rtol=0, atol=1e-5)
    assert (joint - _outputs(lambda _: None)).abs().max() > 1e-3
