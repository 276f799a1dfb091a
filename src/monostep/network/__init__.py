"""The Stable-Diffusion-2 family of networks, in torch alone, with diffusers' parameter names."""
