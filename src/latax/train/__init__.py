"""The training engine: recipes of phases, sources of batches, and one loop that trains every model."""

from latax.train.evidence import replay
from latax.train.fit import Fitted, fit
from latax.train.interrupt import Interruption
from latax.train.phase import Alternate, Batch, Metric, Model, Objective, Phase, Recipe, everything
from latax.train.progress import AbstractMeter, LineMeter, RichMeter, SilentMeter, default_meter
from latax.train.source import AbstractSource, ArraySource, SamplerSource
from latax.train.stream import StreamSource
from latax.train.tracker import JSONLTracker, MemoryTracker, Tracker, read_metrics

__all__ = [
    "AbstractMeter",
    "AbstractSource",
    "Alternate",
    "ArraySource",
    "Batch",
    "Fitted",
    "Interruption",
    "JSONLTracker",
    "LineMeter",
    "MemoryTracker",
    "Metric",
    "Model",
    "Objective",
    "Phase",
    "Recipe",
    "RichMeter",
    "SamplerSource",
    "SilentMeter",
    "StreamSource",
    "Tracker",
    "default_meter",
    "everything",
    "fit",
    "read_metrics",
    "replay",
]
