"""Put the report together as one HTML file that needs nothing else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Optional

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from ssd_plugin.cli.environment import describe
from ssd_plugin.errors import UserError

from . import charts
from .errors import KINDS
from .evaluation import AP_COLUMNS
from .pictures import Picture, draw, image_f1, rank_images
from .recipe import difference, training_environment
from .run_data import RunData, Settings
from .sensitivity import BANDS

_BEST, _WORST, _PAIRS = 4, 8, 3
_NONE = '\N{EN DASH}'


class Cell(NamedTuple):
    """A number of a table: of one run, or of two and how the second differs.

    Attributes:
        values: Text of each run.
        change: Text with its sign; empty for one run or where a number is missing.
        better: Whether the change is for the better; None where it is neither.
    """

    values: list[str]
    change: str = ''
    better: Optional[bool] = None


def cell(values: Sequence[float], form: str = '.3f', rising: bool = True) -> Cell:
    """Write a number of each run.

    Args:
        values: One or two; NaN where there is none.
        form: Format.
        rising: Whether more is better.
    """
    texts = [_NONE if math.isnan(value) else format(value, form) for value in values]
    if len(values) < 2 or any(math.isnan(value) for value in values):
        return Cell(texts)
    change = format(values[1] - values[0], f'+{form}')
    moved = float(change.replace(',', '')) if any(digit in change for digit in '123456789') else 0.0
    return Cell(texts, change if moved else '±0', None if not moved else (moved > 0) == rising)


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        head: Of the columns; the first is that of the names.
        rows: Name and cells of each.
    """

    head: list[str]
    rows: list[tuple[str, list[Cell]]]


def render(runs: Sequence[RunData], settings: Settings) -> str:
    """Write the page.

    Args:
        runs: One, or two to be compared.
        settings: What they were evaluated with.

    Returns:
        HTML.

    Raises:
        UserError: The runs know other classes.
    """
    first = runs[0].evaluation
    for other in runs[1:]:
        if other.evaluation.classes != first.classes:
            raise UserError(
                f'{other.folder.path}: its classes are {", ".join(other.evaluation.classes)}, '
                f'expected those of {runs[0].folder.path}, {", ".join(first.classes)}'
            )
    environment = Environment(loader=PackageLoader(__package__, ''), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment.get_template('page.html.j2').render(
        runs=runs,
        names=[run.folder.name for run in runs],
        settings=settings,
        notes=_notes(runs),
        headline=_headline(runs),
        recipe=_side_by_side([run.recipe for run in runs]),
        trained=_side_by_side([training_environment(run.folder.path) for run in runs]),
        measured=describe('cuda' if settings.device.startswith('cuda') else 'cpu'),
        configs=[run.folder.config.read_text() for run in runs],
        difference=difference(runs[0].folder, runs[1].folder) if len(runs) > 1 else [],
        table7=_table7(runs),
        ap_table=_ap_table(runs),
        error_table=_error_table(runs),
        sensitivity_table=_sensitivity_table(runs),
        learning=charts.learning_charts(runs),
        precision=charts.precision_charts(runs),
        sensitivity=charts.sensitivity_charts(runs),
        errors=charts.error_charts(runs),
        kind_colours=charts.KIND_COLOURS,
        pictures=_pictures(runs, settings.score_thr),
    )


def _notes(runs: Sequence[RunData]) -> list[str]:
    notes = []
    for run in runs:
        planned = run.recipe.get('length', '').split()
        last = run.curves.train[-1] if run.curves.train else None
        done = None if last is None else last.values.get('epoch', last.step) if 'epochs' in planned else last.step
        if done is not None and planned and done < int(planned[0]):
            unit = planned[1].rstrip('s')
            notes.append(
                f'{run.folder.name} has logged up to {unit} {done:.0f} of {planned[0]}: it goes on, or stopped.'
            )
        if run.folder.checkpoint and run.folder.checkpoint.name.startswith('best_'):
            notes.append(f'{run.folder.name}: this checkpoint was the best of the run on the validation images.')
        if not len(run.evaluation.objects):
            notes.append('These images have no gt boxes: there is no AP.')
        if not len(run.evaluation.detections):
            notes.append(f'{run.folder.name} detects nothing at all.')
    if len({tuple(image.path for image in run.evaluation.images) for run in runs}) > 1:
        notes.append('The two runs were evaluated on different images: their figures do not compare.')
    return notes


def _headline(runs: Sequence[RunData]) -> list[tuple[str, str, Cell]]:
    """Name, explanation and value of the figures on top."""
    cards = [
        ('AP', 'COCO: mean over IoU 0.5 to 0.95', cell([run.evaluation.ap[0] for run in runs])),
        ('AP50', 'at IoU 0.5', cell([run.evaluation.ap[1] for run in runs])),
        ('AP75', 'at IoU 0.75', cell([run.evaluation.ap[2] for run in runs])),
    ]
    voc = [run.voc for run in runs if run.voc is not None]
    if len(voc) == len(runs):
        cards.insert(0, ('mAP', 'VOC, as the config has it', cell(voc)))
    speeds = [run.speed.milliseconds for run in runs if run.speed]
    if speeds:
        cards.append(('ms an image', 'image in to boxes out, batch 1', cell(speeds, '.1f', rising=False)))
    parameters = [_number(run.recipe['parameters']) / 1e6 for run in runs]
    cards.append(('M parameters', f'{runs[0].recipe["method"]}', cell(parameters, '.2f', rising=False)))
    return cards


def _number(text: str) -> float:
    return float(text.replace(',', '') or math.nan)


def _side_by_side(parts: Sequence[dict[str, str]]) -> list[tuple[str, list[str], bool]]:
    """Name, text of each run, and whether they differ."""
    names = dict.fromkeys(name for part in parts for name in part)
    rows = [(name, [part.get(name, _NONE) for part in parts]) for name in names]
    return [(name, texts, len(set(texts)) > 1) for name, texts in rows]


def _table7(runs: Sequence[RunData]) -> list[list[str]]:
    rows = []
    for run in runs:
        recipe = run.recipe
        ap = run.evaluation.ap[1] if run.voc is None else run.voc
        fps = f'{run.speed.fps:.1f}' if run.speed else _NONE
        boxes, size = recipe.get('default boxes', _NONE), recipe.get('input resolution', _NONE)
        name = recipe['method'] if len(runs) == 1 else f'{run.folder.name}: {recipe["method"]}'
        rows.append([name, cell([ap]).values[0], fps, '1', boxes, size])
    return rows


def _ap_table(runs: Sequence[RunData]) -> Table:
    evaluations = [run.evaluation for run in runs]
    rows = [('all classes', [cell([one.ap[column] for one in evaluations]) for column in range(len(AP_COLUMNS))])]
    for label, name in enumerate(evaluations[0].classes):
        cells = [cell([one.class_ap[label, column] for one in evaluations]) for column in range(len(AP_COLUMNS))]
        rows.append((name, cells))
    return _with_objects(Table(['class', *AP_COLUMNS], rows), runs)


def _with_objects(table: Table, runs: Sequence[RunData]) -> Table:
    objects = [run.errors.objects for run in runs]
    totals = [f'{objects[0].sum():,}', *(f'{number:,}' for number in objects[0])]
    rows = [(name, [Cell([total]), *cells]) for (name, cells), total in zip(table.rows, totals)]
    return Table([table.head[0], 'objects', *table.head[1:]], rows)


def _error_table(runs: Sequence[RunData]) -> Table:
    def cells(label: Optional[int]) -> list[Cell]:
        counts = [run.errors.counts.sum(0) if label is None else run.errors.counts[label] for run in runs]
        return [cell([float(one[kind]) for one in counts], ',.0f', kind == 0) for kind in range(len(KINDS))]

    rows = [('all classes', cells(None))]
    rows += [(name, cells(label)) for label, name in enumerate(runs[0].evaluation.classes)]
    return _with_objects(Table(['class', *KINDS], rows), runs)


def _sensitivity_table(runs: Sequence[RunData]) -> Table:
    parts = [np.hstack([run.sensitivity.overall[:, None], *run.sensitivity.bands.values()]) for run in runs]
    rows = [
        (name, [cell([part[label, column] for part in parts], '.2f') for column in range(parts[0].shape[1])])
        for label, name in enumerate(runs[0].evaluation.classes)
    ]
    return Table(['class', 'all', *(name for bands in BANDS.values() for name in bands)], rows)


def _pictures(runs: Sequence[RunData], score_thr: float) -> list[tuple[str, list[list[Picture]]]]:
    """Title of each group of images, and the pictures of each image, one of each run."""
    scores = [image_f1(run, score_thr) for run in runs]
    groups: list[tuple[str, list[int]]] = []
    counts = np.bincount(runs[0].evaluation.objects.image, minlength=len(scores[0]))
    if len(runs) == 1:
        ranked = rank_images(scores[0], counts).tolist()
        groups = [('Worst', ranked[:_WORST]), ('Best', ranked[::-1][: min(_BEST, max(0, len(ranked) - _WORST))])]
    elif len(scores[0]) == len(scores[1]):
        change = scores[1] - scores[0]
        ranked = rank_images(change, counts).tolist()
        groups = [
            (f'Better in {runs[1].folder.name}', [one for one in ranked[::-1][:_PAIRS] if change[one] > 0]),
            (f'Worse in {runs[1].folder.name}', [one for one in ranked[:_PAIRS] if change[one] < 0]),
        ]
    drawn = [(title, list(zip(*(draw(run, numbers, score_thr) for run in runs)))) for title, numbers in groups]
    return [(title, [list(pair) for pair in pairs]) for title, pairs in drawn if pairs]
