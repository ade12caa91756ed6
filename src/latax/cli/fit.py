"""`latax fit MODEL FILE`: the constructor's arguments of every estimator are its options."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, get_args

import tyro

from latax.cli import traverse
from latax.cli.reading import Reading
from latax.estimators import ESTIMATORS, TRAVERSALS


def fit_commands() -> dict[str, Callable[..., None]]:
    """A command for each estimator."""
    commands = {name: _command(estimator) for name, estimator in ESTIMATORS.items()}
    return commands | {name: traverse.fit_command() for name in TRAVERSALS}


def _command(cls: type) -> Callable[..., None]:
    _own_fields_first(cls)

    def fit(file: Path, out: Path, reading: Reading, estimator: Any, report: bool = True) -> None:
        from latax.cli.console import show_run

        estimator._check_params()
        samples = reading(file)
        estimator.fit_samples(samples, out=out, source=reading.as_dict(file))
        show_run(out, estimator, samples, report)

    fit.__doc__ = f"""{cls.__doc__}

    Args:
        file: The data: npy, npz, csv, parquet, NetCDF, Zarr, HDF5, or a folder of images.
        out: A new folder for the run: model, metrics, checkpoints, report.
        report: Write report.html when the fit is done.
    """
    fit.__annotations__ |= {
        "file": Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")],
        "estimator": Annotated[cls, tyro.conf.arg(name="")],
        "reading": Annotated[Reading, tyro.conf.arg(name="")],
    }
    return fit


def _own_fields_first(cls: type) -> None:
    """Puts what is particular to a model (its latent size) before what all models have: the help shows this order."""
    own = cls.__annotations__
    found = {field.name: field for field in sorted(fields(cls), key=lambda field: field.name not in own)}
    cls.__dataclass_fields__ = found


def objects_by_name() -> tyro.constructors.ConstructorRegistry:
    """For tyro: an option that takes an object, such as a chart or a physics, takes its name."""
    from latax.data.rendered import RenderedManifold
    from latax.density import AbstractEmbedding
    from latax.geometry import AbstractMetricFlow, AbstractReferenceMetric
    from latax.physics.physics import AbstractPhysics
    from latax.potential import AbstractGuidance, AbstractPotentialPDE

    named = {
        AbstractEmbedding: "CHART",
        AbstractPhysics: "PHYSICS",
        AbstractReferenceMetric: "SURFACE",
        AbstractMetricFlow: "FLOW",
        RenderedManifold: "MANIFOLD",
        AbstractPotentialPDE: "EQUATION",
        AbstractGuidance: "GUIDANCE",
    }
    registry = tyro.constructors.ConstructorRegistry()

    def rule(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[str] | None:
        metavar = next((word for kind, word in named.items() if kind in get_args(info.type)), None)
        if metavar is None:
            return None
        return tyro.constructors.PrimitiveConstructorSpec(
            nargs=1,
            metavar=metavar,
            instance_from_str=lambda args: args[0],
            is_instance=lambda value: isinstance(value, str),
            str_from_instance=lambda value: [value],
        )

    registry.primitive_rule(rule)
    return registry
