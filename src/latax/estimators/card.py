"""The model card that is saved beside a model."""

from typing import Any


def model_card(estimator: Any, config: dict[str, Any]) -> str:
    """Markdown: what the model is, what it was fitted on, how good it is, how to use it."""
    summary = (type(estimator).__doc__ or "").splitlines()[0]
    size, context = len(config["feature_names"]), config["context_names"]
    conditioned = f", conditioned on {', '.join(context)}" if context else ""
    numbers = "\n".join(
        f"| {name} | {values[estimator.best_]:.6g} | {len(values)} |" for name, values in estimator.metrics_.items()
    )
    params = "\n".join(f"* `{name}`: {value!r}" for name, value in config["params"].items())
    verb = "log_prob" if hasattr(estimator, "log_prob") else "transform"
    return f"""# {type(estimator).__name__}

{summary}

Fitted on {size} columns{conditioned}. Numbers are on held-out rows, in the units of the data (log densities in nats).

| metric | best replicate | replicates |
|---|---|---|
{numbers}

## Use

```python
import latax

model = latax.load("this folder")
model.{verb}(X)
```

## Parameters

{params}
"""


def traversal_card(estimator: Any, config: dict[str, Any]) -> str:
    """The same for potentials on the latent space of a decoder."""
    summary = (type(estimator).__doc__ or "").splitlines()[0]
    numbers = "\n".join(
        f"| {name} | {values[estimator.best_]:.6g} | {len(values)} |" for name, values in estimator.metrics_.items()
    )
    params = "\n".join(f"* `{name}`: {value!r}" for name, value in config["params"].items())
    inside = "is in the folder decoder" if config["decoder_inside"] else "is not in this folder"
    return f"""# {type(estimator).__name__}

{summary}

{estimator.potentials} potentials on {estimator.space_.size} latent coordinates; the decoder {inside}. Numbers are on
the draws that chose the weights: minus the log of the probability that the classifier gives to the true path, and how
far the paths are from right angles, in nats.

| metric | best replicate | replicates |
|---|---|---|
{numbers}

## Use

```python
import latax

model = latax.load("this folder")
model.traverse(model.draw(5), k=0).data
```

## Parameters

{params}
"""
