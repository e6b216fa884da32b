"""What a benchmark found, as Markdown and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional

from .timing import Figure

HEADER = ('part', 'case', 'unit', 'ours', 'mmdet', 'times as good', 'floor', 'of the floor')
BUDGET_HEADER = ('budget', 'limit', 'measured', 'kept')
TABLE7_HEADER = ('method', 'mAP', 'FPS batch 1', 'FPS batch 8', 'boxes', 'input resolution')


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        part: What was measured: 'pipeline', 'loss', ...
        case: Network, classes, batch, ...
        unit: 'ms' and 'MiB' are better low, rates such as 'images/s' better high.
        ours: This package.
        mmdet: Its counterpart; None where there is none.
        floor: What nothing can beat; None where it was not measured.
    """

    part: str
    case: str
    unit: str
    ours: Figure
    mmdet: Optional[Figure] = None
    floor: Optional[Figure] = None

    def times(self) -> Optional[float]:
        """Tell how many times as good as mmdet ours is: above 1 it is better."""
        return None if self.mmdet is None else _times(self.unit, self.ours, self.mmdet)

    def of_floor(self) -> Optional[float]:
        """Tell how good ours is as a share of the floor: 1 is perfect."""
        return None if self.floor is None else _times(self.unit, self.ours, self.floor)


@dataclass(frozen=True)
class BudgetRow:
    """One limit, and what was measured against it.

    Attributes:
        case: What is limited, and where.
        unit: 'share' is limited from above, 'times' from below.
        limit: Of ``measured``.
        measured: Quotient of two medians.
    """

    case: str
    unit: str
    limit: float
    measured: float

    @classmethod
    def share(cls, case: str, limit: float, part: Sequence[float], whole: Sequence[float]) -> 'BudgetRow':
        """Divide the seconds of a part by those of the whole."""
        return cls(case, 'share', limit, Figure.of(part).median / Figure.of(whole).median)

    @classmethod
    def times(cls, case: str, limit: float, ours: Sequence[float], mmdet: Sequence[float]) -> 'BudgetRow':
        """Divide mmdet's seconds by ours."""
        return cls(case, 'times', limit, Figure.of(mmdet).median / Figure.of(ours).median)

    def kept(self) -> bool:
        """Tell whether the measurement is within the limit."""
        return self.measured <= self.limit if self.unit == 'share' else self.measured >= self.limit


@dataclass(frozen=True)
class Table7Row:
    """One line of the paper's Table 7.

    Attributes:
        method: Network, and where it ran.
        map: Published mAP on VOC2007 test in per cent; None for a network of random weights.
        fps_1: Images per second at batch 1.
        fps_8: At batch 8.
        boxes: Default boxes.
        side: Side of the input in pixels.
    """

    method: str
    map: Optional[float]
    fps_1: float
    fps_8: float
    boxes: int
    side: int


@dataclass
class Report:
    """Everything one run measured.

    Attributes:
        environment: Machine, versions and command, by name.
        budget: The limits.
        rows: The comparisons.
        table7: Lines of the paper's Table 7.
    """

    environment: Mapping[str, str]
    budget: list[BudgetRow] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    table7: list[Table7Row] = field(default_factory=list)

    def markdown(self) -> str:
        """Write all of it as Markdown."""
        lines = ['# Benchmark', '', *(f'- {name}: {value}' for name, value in self.environment.items()), '']
        if self.budget:
            lines += [*_table(BUDGET_HEADER, [_budget_cells(row) for row in self.budget]), '']
        if self.rows:
            lines += ['Medians with quartiles; above 1 times as good, ours is better.', '']
            lines += _table(HEADER, [cells(row) for row in self.rows])
        if self.table7:
            lines += ['', '## Table 7 of the paper', '']
            lines += _table(TABLE7_HEADER, [_table7_cells(row) for row in self.table7])
        return '\n'.join(lines).rstrip() + '\n'

    def as_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return dict(
            environment=dict(self.environment),
            budget=[dict(asdict(row), kept=row.kept()) for row in self.budget],
            rows=[dict(asdict(row), times=row.times(), of_floor=row.of_floor()) for row in self.rows],
            table7=[asdict(row) for row in self.table7],
        )

    def write(self, folder: Path) -> None:
        """Write ``results.md`` and ``results.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'results.md').write_text(self.markdown(), encoding='utf-8')
        (folder / 'results.json').write_text(json.dumps(self.as_dict(), indent=2) + '\n', encoding='utf-8')


def cells(row: Row) -> tuple[str, ...]:
    """Format a row under :data:`HEADER`."""
    figures = [_figure(value) for value in (row.ours, row.mmdet, row.floor)]
    times, share = row.times(), row.of_floor()
    return (
        row.part,
        row.case,
        row.unit,
        figures[0],
        figures[1],
        '-' if times is None else f'{times:.2f}',
        figures[2],
        '-' if share is None else f'{share:.0%}',
    )


def _times(unit: str, ours: Figure, other: Figure) -> float:
    return ours.median / other.median if unit.endswith('/s') else other.median / ours.median


def _figure(figure: Optional[Figure]) -> str:
    if figure is None:
        return '-'
    middle, low, high = (_number(value) for value in (figure.median, figure.low, figure.high))
    return f'{middle} ({low} to {high})'


def _number(value: float) -> str:
    """Format three significant digits, whole from 100 on."""
    return f'{value:.0f}' if value >= 100 else f'{value:.3g}'


def _budget_cells(row: BudgetRow) -> tuple[str, ...]:
    kept = 'yes' if row.kept() else 'no'
    if row.unit == 'share':
        return row.case, f'at most {row.limit:.0%}', f'{row.measured:.1%}', kept
    return row.case, f'at least {row.limit:g}', f'{row.measured:.2f}', kept


def _table7_cells(row: Table7Row) -> tuple[str, ...]:
    published = '-' if row.map is None else f'{row.map:.1f}'
    return row.method, published, _number(row.fps_1), _number(row.fps_8), str(row.boxes), f'{row.side} x {row.side}'


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(header), _line(['---'] * len(header)), *map(_line, rows)]


def _line(values: Sequence[str]) -> str:
    return f'| {" | ".join(values)} |'
