"""The training engine: recipes of phases, sources of batches, and one loop that trains every model.

From the outside in: `fit` is the entry point; `run` is the loop on the host (reports, checkpoints, signals); `trainer`
holds what stays the same during a run (course, devices, programs, data); `program` is what is compiled, and knows one
replicate only; `layout` makes many replicates on many devices of it. Nothing random depends on when or where something
is computed, only on (seed, phase, step), and every call runs the same compiled program: hence a resumed run is the run.
"""

from latax.train.chunks import in_chunks
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
    "in_chunks",
    "read_metrics",
    "replay",
]
