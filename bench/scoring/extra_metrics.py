"""A metric of the `evaluate` library beside ours: a local script by its path, or a name where the Hub is reachable.

The script is code that runs with the user's rights, as with `evaluate` itself. Its value is shown, and stands in no
record: nothing here could check it.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from bench.errors import ToolError, UsageError
from bench.metrics.captions.pairing import Item


def compute(name: str, items: Sequence[Item]) -> dict[str, float]:
    """Returns the numbers that the metric `name` gives for captions as written, by their names.

    Raises: UsageError for a metric that cannot be loaded; ToolError for one that fails.
    """
    import evaluate

    try:
        metric = evaluate.load(name)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"--metric {name}: cannot be loaded ({reason}). Give the path of a script that `evaluate` loads, or a name "
            "while the Hub is reachable."
        ) from error
    captions = [item.caption for item in items]
    references: list[Any] = [list(item.references) for item in items]
    if _takes_one(metric):
        if any(len(texts) > 1 for texts in references):
            raise UsageError(f"--metric {name} takes one reference for each caption; here some have several.")
        references = [texts[0] for texts in references]
    try:
        computed = metric.compute(predictions=captions, references=references)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ToolError(f"--metric {name} failed: {type(error).__name__}: {reason}. Leave it out.") from error
    values = {str(key): float(value) for key, value in (computed or {}).items() if isinstance(value, numbers.Real)}
    if not values:
        raise ToolError(f"--metric {name} gave no number. Leave it out.")
    return values


def _takes_one(metric: Any) -> bool:
    """Returns whether the metric declares a reference as a single text, and in no other form."""
    forms = metric.features if isinstance(metric.features, list) else [metric.features]
    return all(getattr(form.get("references"), "dtype", None) == "string" for form in forms)
