"""Render the sample logos under a list of instructions as one self-contained page."""

from __future__ import annotations

import base64
import html
import time
from importlib.resources import files

from service.engines.contract import Instruction, Report
from service.engines.embedded.apply import apply

INSTRUCTIONS: dict[str, tuple[str, ...]] = {
    "coffee": (
        "Make the logo more minimalist and use lighter shades of brown",
        "Change the browns to navy blue",
        "Remove the background, and let's lose the tagline",
        "A one-colour stamp in dark red",
        "Add a croissant",
    ),
    "mountain": (
        "Swap green for blue, but don't touch the text",
        "Put it on black",
        "The orange is too loud, and make the lettering bolder",
        "Outlines only",
    ),
    "tech": (
        "No gradients, and a cream background",
        "Dark mode",
        "Use teal instead of pink",
        "Make the icon bigger and the tagline darker",
    ),
    "leaf": (
        "Make the leaves autumn orange and keep the text",
        "Add a soft shadow",
        "Just the icon, no text",
        "Put it on a deep green background",
    ),
    "lunar": (
        "White background",
        "Make the waves pink",
        "Pastel colours",
        "Only the moon brighter, everything else as it is",
    ),
}
"""By the name of a sample."""

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem;background:#fafafa;color:#222}
section{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:1.2rem}
figure{margin:0;background:#fff;border:1px solid #ddd;border-radius:10px;overflow:hidden}
img{width:100%;display:block;
background:repeating-conic-gradient(#ddd 0 25%,#fff 0 50%) 0 0/24px 24px}
figcaption{padding:.7rem 1rem}ul{margin:.4rem 0 0;padding-left:1.1rem;font-size:13px;color:#555}
.no{color:#a33}.ms{float:right;color:#888;font-size:12px}
"""


def sample(name: str) -> bytes:
    """The file of a sample logo."""
    return (files("service.studio") / "samples" / f"{name}.png").read_bytes()


def render_gallery() -> str:
    """The page as HTML; it loads nothing."""
    body = []
    for name, instructions in INSTRUCTIONS.items():
        source = sample(name)
        cells = [_figure(source, f"{name}, as it is", None, 0.0)]
        for instruction in instructions:
            started = time.perf_counter()
            outcome = apply(source, Instruction(instruction))
            spent_s = time.perf_counter() - started
            cells.append(_figure(outcome.image or source, instruction, outcome.report, spent_s))
        body.append(f"<h2>{name}</h2><section>{''.join(cells)}</section>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Gallery</title>'
        f"<style>{_STYLE}</style><h1>What the embedded engine makes of it</h1>"
        f"{''.join(body)}</html>"
    )


def _figure(image: bytes, title: str, report: Report | None, spent_s: float) -> str:
    notes = [] if report is None else _notes(report)
    time_ms = "" if report is None else f'<span class="ms">{spent_s * 1000:.0f} ms</span>'
    data = base64.b64encode(image).decode()
    return (
        f'<figure><img alt="" src="data:image/png;base64,{data}"><figcaption>{time_ms}'
        f"<b>{html.escape(title)}</b><ul>{''.join(notes)}</ul></figcaption></figure>"
    )


def _notes(report: Report) -> list[str]:
    done = [f"<li>{html.escape(edit['summary'])}</li>" for edit in report["applied"]]
    left = [
        f'<li class="no">{html.escape(part["span"])}: {html.escape(part["message"])}</li>'
        for part in report["not_applied"]
    ]
    notes = [f"<li><i>{html.escape(x)}</i></li>" for x in report["assumptions"]]
    return done + left + notes
