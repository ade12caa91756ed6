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
model.log_prob(X)
```

## Parameters

{params}
"""
