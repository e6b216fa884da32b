"""Draw the charts of a report as SVG that takes its text colour from the page."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from .errors import KINDS
from .evaluation import AP_COLUMNS
from .run_data import RunData
from .sensitivity import BANDS

# Replaced by the page's own text colour, so that a chart is readable on light and dark.
_INK = '#010203'
#: Of lines and runs; each is readable on light and on dark.
COLOURS = ('#3b82c4', '#e07b39', '#3a9d6e', '#c0504d', '#8e6bbf', '#b08d2e', '#d16ba5', '#4aa3a2', '#7f8c8d', '#6d8f2f')
#: Of the kinds of errors.
KIND_COLOURS = dict(zip(KINDS, ('#3a9d6e', '#e0a83a', '#8e6bbf', '#3b82c4', '#8a939b', '#d0524f')))
_STYLE: Any = {
    'svg.fonttype': 'none',
    'font.size': 10,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.axisbelow': True,
    'axes.titlesize': 11,
    'grid.alpha': 0.18,
    'grid.linewidth': 0.6,
    'lines.linewidth': 1.6,
    'legend.frameon': False,
    'legend.fontsize': 9,
    **dict.fromkeys(('text.color', 'axes.edgecolor', 'axes.labelcolor', 'xtick.color', 'ytick.color'), _INK),
    'grid.color': _INK,
}
# With more classes one line each says nothing.
_MANY = len(COLOURS)
_SHOWN = 12


class Chart(NamedTuple):
    """A picture of the page.

    Attributes:
        title: Of the chart.
        alt: What it shows, for whoever cannot see it.
        svg: The ``<svg>`` element.
    """

    title: str
    alt: str
    svg: str


@contextmanager
def _chart(charts: list[Chart], title: str, alt: str, height: float = 2.7) -> Iterator[Any]:
    """Draw on axes, and add the chart to a list."""
    with rc_context({**_STYLE, 'svg.hashsalt': f'{title}{len(charts)}'}):
        figure = Figure(figsize=(4.5, height), layout='constrained')
        yield figure.subplots()
        text = StringIO()
        figure.savefig(text, format='svg', transparent=True, metadata={'Date': None})
    svg = text.getvalue()
    svg = svg[svg.index('<svg') :]
    svg = re.sub(r'<(metadata|style).*?</\1>', '', svg, flags=re.S)
    # Only what is referred to needs a name, and names of several charts must not clash.
    used = set(re.findall(r'#([\w-]+)', svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda name: name[0] if name[1] in used else '', svg)
    svg = re.sub(r'\s*\n\s*', ' ', svg.replace(_INK, 'currentColor'))
    charts.append(Chart(title, alt, svg.replace('<svg', '<svg role="img" aria-label="' + _attribute(alt) + '"', 1)))


def _attribute(text: str) -> str:
    return text.replace('&', '&amp;').replace('"', '&quot;').replace('<', '&lt;')


def learning_charts(runs: Sequence[RunData]) -> list[Chart]:
    """Draw losses, learning rate and validation metrics over the training, as far as they were logged."""
    charts: list[Chart] = []
    train = [run.curves.train for run in runs]
    losses = ['loss'] if len(runs) > 1 else _logged(train, lambda name: name.startswith('loss'))
    for title, names, scale in (('Loss', losses, 'linear'), ('Learning rate', ['lr'], 'log')):
        if any(name in point.values for points in train for point in points for name in names):
            with _chart(charts, title, f'{title} by iteration: {_ends(runs, train, names)}') as axes:
                _lines(axes, runs, train, names, '')
                axes.set(xlabel='iteration', yscale=scale)
    val = [run.curves.val for run in runs]
    names = _logged(val, lambda name: re.search(r'mAP(_50)?$|AP50$', name) is not None)
    names = names[:1] if len(runs) > 1 else names
    if names:
        with _chart(charts, 'Validation', f'Validation metrics: {_ends(runs, val, names)}') as axes:
            _lines(axes, runs, val, names, 'o')
            counts_epochs = 'epoch' in (train[0][0].values if train[0] else {})
            axes.set(xlabel='epoch' if counts_epochs else 'iteration', xlim=(0, None), ylim=(0, 1))
    return charts


def _logged(points: Any, wanted: Any) -> list[str]:
    return list(dict.fromkeys(name for one in points for point in one for name in point.values if wanted(name)))


def _lines(axes: Any, runs: Sequence[RunData], points: Any, names: list[str], marker: str) -> None:
    number = 0
    for run, line in zip(runs, points):
        for name in names:
            there = [(point.step, point.values[name]) for point in line if name in point.values]
            label = run.folder.name if len(runs) > 1 else name
            axes.plot(*zip(*there), color=COLOURS[number % _MANY], marker=marker, markersize=4, label=label)
            number += 1
    if number > 1:
        axes.legend()


def _ends(runs: Sequence[RunData], points: Any, names: list[str]) -> str:
    ends = []
    for run, line in zip(runs, points):
        for name in names:
            values = [point.values[name] for point in line if name in point.values]
            if values:
                ends.append(f'{run.folder.name} {name} from {values[0]:.3g} to {values[-1]:.3g}')
    return '; '.join(ends)


def precision_charts(runs: Sequence[RunData]) -> list[Chart]:
    """Draw precision over recall at an IoU of 0.5: of each class, or the mean of each run."""
    charts: list[Chart] = []
    recall = np.linspace(0, 1, 101)
    with _chart(charts, 'Precision and recall', 'Precision over recall at IoU 0.5: ' + _ap50(runs), 3.2) as axes:
        if len(runs) == 1:
            evaluation = runs[0].evaluation
            few = len(evaluation.classes) <= _MANY
            for label, (name, line) in enumerate(zip(evaluation.classes, evaluation.precision)):
                if not np.isnan(line).any():
                    colour = COLOURS[label] if few else COLOURS[8]
                    axes.plot(recall, line, color=colour, label=name if few else None, alpha=1 if few else 0.35, lw=1.2)
        for number, run in enumerate(runs):
            lines = run.evaluation.precision
            lines = lines[~np.isnan(lines).any(1)]
            if len(lines) > 1 or (len(runs) > 1 and len(lines)):
                colour = COLOURS[number] if len(runs) > 1 else _INK
                name = run.folder.name if len(runs) > 1 else 'mean'
                axes.plot(recall, lines.mean(0), color=colour, label=name, lw=2, ls='-' if len(runs) > 1 else '--')
        axes.set(xlabel='recall', ylabel='precision', xlim=(0, 1), ylim=(0, 1.02))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc='lower left')
    return charts


def _ap50(runs: Sequence[RunData]) -> str:
    column = AP_COLUMNS.index('AP50')
    if len(runs) > 1:
        known = [(run.folder.name, run.evaluation.ap[column]) for run in runs]
    else:
        known = list(zip(runs[0].evaluation.classes, runs[0].evaluation.class_ap[:, column]))
    return '; '.join(f'{name} AP50 {ap:.3f}' for name, ap in known if not np.isnan(ap))


def shown_classes(run: RunData) -> list[int]:
    """Choose the classes that have charts of their own: the twelve with most objects, in the order of the classes."""
    objects = run.errors.objects
    return sorted(label for label in np.argsort(-objects, kind='stable')[:_SHOWN].tolist() if objects[label])


def sensitivity_charts(runs: Sequence[RunData]) -> list[Chart]:
    """Draw the normalised AP of the bands of area and aspect ratio: the mean over the classes, then each class."""
    charts: list[Chart] = []
    classes = runs[0].evaluation.classes
    shown = shown_classes(runs[0])
    rows = [(name, [label]) for name, label in zip((classes[label] for label in shown), shown)]
    if len(shown) > 1:
        rows.insert(0, ('All classes (mean)', np.flatnonzero(runs[0].errors.objects).tolist()))
    names = [name for bands in BANDS.values() for name in bands]
    places = np.array([0, 1, 2, 3, 4, 6, 7, 8, 9, 10])
    for title, labels in rows:
        values = [np.hstack([_mean_rows(run.sensitivity.bands[one], labels) for one in BANDS]) for run in runs]
        told = '; '.join(
            f'{run.folder.name} '
            + ', '.join(f'{name} {value:.2f}' for name, value in zip(names, line) if not np.isnan(value))
            for run, line in zip(runs, values)
        )
        with _chart(charts, title, f'Normalised AP of {title} by area, then by aspect ratio: {told}', 2.3) as axes:
            for number, (run, line) in enumerate(zip(runs, values)):
                colour, shift = COLOURS[number], (number - (len(runs) - 1) / 2) * 0.3
                axes.axhline(_mean_rows(run.sensitivity.overall, labels), color=colour, ls='--', lw=1)
                spread = np.hstack([_mean_rows(run.sensitivity.spread[one], labels) for one in BANDS])
                error = spread if len(labels) == 1 else None
                style = dict(fmt='o', color=colour, ecolor=colour, markersize=5, elinewidth=1.2, capsize=2)
                axes.errorbar(places + shift, line, error, label=run.folder.name, **style)
            axes.set_xticks(places, names)
            axes.set_ylim(0, 1.05)
            axes.grid(axis='x', visible=False)
            for place, name in zip((2, 8), BANDS):
                axes.text(place, -0.19, name, ha='center', va='top')
            if len(runs) > 1:
                axes.legend(loc='lower right')
    return charts


def _mean_rows(values: Any, labels: list[int]) -> Any:
    chosen = values[labels]
    known = ~np.isnan(chosen)
    return np.where(known, chosen, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)


def error_charts(runs: Sequence[RunData]) -> list[Chart]:
    """Draw of what kinds the best detections of each class are, and what each kind of mistake costs."""
    charts: list[Chart] = []
    classes = runs[0].evaluation.classes
    shown = shown_classes(runs[0])
    bars = [(label, number) for label in shown for number in range(len(runs))][::-1]
    names = [classes[label] + (f' {"AB"[number]}' if len(runs) > 1 else '') for label, number in bars]
    shares = np.array(
        [runs[number].errors.counts[label] / runs[number].errors.objects[label] for label, number in bars]
    )
    told = '; '.join(
        f'{name} ' + ', '.join(f'{kind} {share:.0%}' for kind, share in zip(KINDS[:-1], line))
        for name, line in zip(names, shares)
    )
    if bars:
        title = 'The best N detections of N objects'
        with _chart(charts, title, f'{title}: {told}', 1.2 + 0.28 * len(bars)) as axes:
            left = np.zeros(len(bars))
            for kind, column in zip(KINDS[:-1], shares.T):
                axes.barh(range(len(bars)), 100 * column, left=left, color=KIND_COLOURS[kind], label=kind)
                left += 100 * column
            axes.set_yticks(range(len(bars)), names)
            axes.set(xlim=(0, 100), xlabel='% of the objects of the class')
            axes.grid(axis='y', visible=False)
            axes.legend(loc='lower center', bbox_to_anchor=(0.4, 1), ncols=3)
        kinds = KINDS[1:]
        told = '; '.join(
            f'{run.folder.name} ' + ', '.join(f'{kind} {gain:.3f}' for kind, gain in zip(kinds, run.errors.gains[1:]))
            for run in runs
        )
        with _chart(charts, 'AP50 lost to each kind', f'AP50 lost to each kind of mistake: {told}') as axes:
            height = 0.8 / len(runs)
            for number, run in enumerate(runs):
                places = np.arange(len(kinds))[::-1] - (number - (len(runs) - 1) / 2) * height
                colours = [KIND_COLOURS[kind] for kind in kinds] if len(runs) == 1 else COLOURS[number]
                drawn = axes.barh(places, run.errors.gains[1:], height, color=colours, label=run.folder.name)
                axes.bar_label(drawn, fmt='%.3f', padding=3, fontsize=9)
            axes.set_yticks(range(len(kinds)), kinds[::-1])
            axes.set(xlabel='AP50 that leaving them out would add')
            axes.margins(x=0.16)
            axes.grid(axis='y', visible=False)
            if len(runs) > 1:
                axes.legend(loc='lower right')
    return charts
