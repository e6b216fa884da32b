"""Run the measurements by name."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Callable, Union

from ssd_plugin.cli.environment import describe

from . import (
    budget,
    comparator_speed,
    deployment_speed,
    inference_speed,
    loss_speed,
    memory,
    pipeline_speed,
    prediction_speed,
    table7,
    training_speed,
)
from .report import BudgetRow, Report, Row
from .settings import Settings


def _curves(settings: Settings) -> Iterator[Row]:
    return chain(loss_speed.curves(settings), prediction_speed.curves(settings))


PARTS: dict[str, Callable[[Settings], Iterator[Union[Row, BudgetRow]]]] = {
    'pipeline': pipeline_speed.rows,
    'loss': loss_speed.rows,
    'predict': prediction_speed.rows,
    'train': training_speed.rows,
    'inference': inference_speed.rows,
    'deployment': deployment_speed.rows,
    'memory': memory.rows,
    'comparators': comparator_speed.rows,
    'curves': _curves,
}
NAMES = ('budget', *PARTS, 'table7')


def run(names: Sequence[str], settings: Settings, show: Callable[[Row], None]) -> Report:
    """Measure.

    Args:
        names: Some of :data:`NAMES`.
        settings: How thoroughly, and where.
        show: Gets every row as soon as it is measured.
    """
    report = Report(describe(settings.device))
    for name in names:
        if name == 'table7':
            report.table7.extend(table7.rows(settings))
            continue
        if name == 'budget':
            report.budget.extend(budget.rows(settings))
            continue
        for row in PARTS[name](settings):
            if isinstance(row, BudgetRow):
                report.budget.append(row)
                continue
            show(row)
            report.rows.append(row)
    return report
