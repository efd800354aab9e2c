"""What operators read is true: every metric that there is, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from service.engine_settings import EngineSettings
from service.engines.metrics import EngineMetrics
from service.metrics import Metrics
from service.settings import Settings

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operating.md").read_text()
ALERTS = (ROOT / "docs" / "alerts.yml").read_text()
NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
# words of PromQL that look like names
PROMQL = {"histogram_quantile"}


def exposed() -> set[str]:
    """The names of every metric that a process may expose, and of its samples."""
    metrics = Metrics()
    EngineMetrics(metrics.registry)
    families = list(text_string_to_metric_families(metrics.text().decode()))
    names = {f"{one.name}_total" if one.type == "counter" else one.name for one in families}
    return {
        name for name in names if not name.startswith("process_") and not name.endswith("_created")
    }


def test_the_page_explains_each_metric_and_no_other() -> None:
    table = PAGE.partition("## Metrics")[2].partition("## Traces")[0]
    explained = set()
    for row in table.splitlines():
        if row.startswith("| `"):
            explained |= set(re.findall(r"`([a-z_]+)(?:\{[a-z,]+\})?`", row.split("|")[1]))
    assert explained == exposed()


def test_the_alerts_watch_metrics_that_there_are() -> None:
    rules = re.findall(r"alert: (\w+)\n +expr: (.*?)\n +(?:for|labels):", ALERTS, re.DOTALL)
    assert len(rules) == ALERTS.count("- alert:")
    for name, expression in rules:
        # without labels, their values and what is grouped by
        bare = re.sub(r"\{[^}]*\}|\bby \([^)]*\)", "", expression)
        named = {re.sub(r"_(bucket|count|sum)$", "", one) for one in NAME.findall(bare)} - PROMQL
        assert named, name
        assert named <= exposed(), name


def test_the_settings_that_the_page_names_are_read() -> None:
    fields = {name.upper() for name in Settings.model_fields}
    # read by OpenTelemetry itself
    elsewhere = {"OTEL_TRACES_SAMPLER"}
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", PAGE))
    assert named - elsewhere <= fields


def test_the_readme_explains_each_setting_of_the_deployment() -> None:
    readme = (ROOT / "README.md").read_text()
    # what engines are told is explained beside them, and OpenTelemetry's own by OpenTelemetry
    ours = {name for name in Settings.model_fields if not name.startswith("otel_")}
    for name in sorted(ours - EngineSettings.model_fields.keys()):
        assert f"`{name.upper()}`" in readme, name
