"""latax: generative models whose latent space has a structure you can name."""

__version__ = "0.1.0"
