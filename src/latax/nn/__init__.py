"""Networks that the models are made of; each is a function of one sample."""

from latax.nn.residual import ResidualNet

__all__ = ["ResidualNet"]
