"""Networks that the models are made of; each is a function of one sample."""

from latax.nn.convolution import ImageChange, ImageDecoder, ImageFeatures, group_norm
from latax.nn.gated import GatedFeatures, GatedMLP, gelu
from latax.nn.gaussian import DiagonalGaussian, GaussianHead
from latax.nn.mlp import MLP
from latax.nn.residual import ResidualNet
from latax.nn.series import FourierSeries

__all__ = [
    "MLP",
    "DiagonalGaussian",
    "FourierSeries",
    "GatedFeatures",
    "GatedMLP",
    "GaussianHead",
    "ImageChange",
    "ImageDecoder",
    "ImageFeatures",
    "ResidualNet",
    "gelu",
    "group_norm",
]
