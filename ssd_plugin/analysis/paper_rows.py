"""The rows of the paper's tables, as the metafiles beside the configs list them."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Optional

import mmengine

from ssd_plugin.errors import UserError
from ssd_plugin.shipped_configs import configs_folder

_FOLDERS = ('ssd', 'ablation')


@dataclass(frozen=True)
class PaperRow:
    """A model that the paper trains, or that fills a gap between those.

    Attributes:
        config: Its config, whose name is that of the row.
        data: What it is trained on, in words.
        iterations: Of its training.
        batch_size: Images of an iteration, over all devices.
        starts_from: Name of the row whose weights it starts from; None for VGG-16's.
        line: Where the paper has it, such as ``Table 1, SSD300 07+12``; empty where it does not.
        dataset: What the published figures were measured on; empty where there are none.
        published: The authors' figures in percent, by name.
    """

    config: Path
    data: str
    iterations: int
    batch_size: int
    starts_from: Optional[str]
    line: str
    dataset: str
    published: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the row."""
        return self.config.stem

    def describe_published(self) -> str:
        """Write the published figures down; empty where there are none."""
        return f'{self.dataset}: {describe_figures(self.published)}' if self.published else ''


def describe_figures(figures: dict[str, float]) -> str:
    """Write figures down.

    Args:
        figures: In percent, by name.
    """
    return ', '.join(f'{name} {value:.1f}' for name, value in figures.items())


def paper_rows() -> dict[str, PaperRow]:
    """Read all rows, in the order of the metafiles.

    Returns:
        The rows by name.
    """
    root = configs_folder().parent
    metafiles = (mmengine.load(root / 'configs' / folder / 'metafile.yml') for folder in _FOLDERS)
    rows = []
    for model in (model for metafile in metafiles for model in metafile['Models']):
        metadata, published = model['Metadata'], model.get('Published', {})
        rows.append(
            PaperRow(
                config=root / model['Config'],
                data=metadata['Training Data'],
                iterations=metadata['Iterations'],
                batch_size=metadata['Batch Size'],
                starts_from=model.get('Starts From'),
                line=published.get('Row', ''),
                dataset=published.get('Dataset', ''),
                published=published.get('Metrics', {}),
            )
        )
    return {row.name: row for row in rows}


def find_row(name: str) -> PaperRow:
    """Find a row.

    Args:
        name: Of the row, which is that of its config.

    Raises:
        UserError: There is none of this name; the line has the closest ones.
    """
    rows = paper_rows()
    if name not in rows:
        close = ', '.join(get_close_matches(name, rows, n=3, cutoff=0))
        raise UserError(f'{name}: no row of the paper, expected one such as {close}; --list shows all')
    return rows[name]


def rows_table() -> list[list[str]]:
    """List all rows with what they need.

    Returns:
        The rows of a table, the head first.
    """
    head = ['row', 'in the paper', 'published', 'trained on', 'starts from', 'images seen']
    return [head] + [
        [
            row.name,
            row.line.partition(',')[0],
            describe_figures(row.published),
            row.data,
            row.starts_from or '',
            f'{row.iterations * row.batch_size / 1e6:.2f} M',
        ]
        for row in paper_rows().values()
    ]
