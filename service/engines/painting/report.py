"""Tell the person what an image model made of the picture: what was measured, and no more."""

from __future__ import annotations

from service.engines.contract import Instruction, Report
from service.engines.painting.canvas import Finished

_NOT_CHECKED = "An image model drew the result; whether it met every wish was not checked."
_UNCHANGED = "The image model gave the picture back unchanged."


def painted_report(engine: str, instruction: Instruction, finished: Finished) -> Report:
    """The report of a picture that a model drew; its outcome is `none` when nothing changed."""
    unchanged = finished.changed == 0
    return {
        "engine": engine,
        "outcome": "none" if unchanged else "complete",
        "understood": [],
        "applied": []
        if unchanged
        else [
            {
                "span": instruction.prompt,
                "op": "redraw",
                "summary": f"Redrawn by an image model; {_share(finished.changed)} changed",
                "measured": {"changed": finished.changed, "alpha_kept": finished.alpha_kept},
            }
        ],
        "not_applied": [
            {"span": instruction.prompt, "reason": "not_understood", "message": _UNCHANGED}
        ]
        if unchanged
        else [],
        "assumptions": [] if unchanged else [_NOT_CHECKED],
        "corrections": [],
        "warnings": finished.warnings,
        "palette": {"before": finished.before, "after": finished.after},
    }


def _share(changed: float) -> str:
    return "less than 1 % of the picture" if changed < 0.01 else f"{changed:.0%} of the picture"
