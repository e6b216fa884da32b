"""Print docs/model_zoo.md, made from the metafiles that model-index.yml names.

Example: python docs/model_zoo.py > docs/model_zoo.md
"""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Model zoo

Made from the metafiles beside the configs by `make model-zoo`. *Measured* is what a run of the config gave here, on a
CPU; *published* is what the source in brackets reports for the recipe that the config states, which has not been
reproduced here ([the command for each line of the paper](reproduce.md)).

| config | schedule | batch | measured | published |
| --- | --- | --- | --- | --- |"""


def models() -> list[dict[str, Any]]:
    """Read the models of all metafiles, in their order."""
    metafiles = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    return [model for metafile in metafiles for model in yaml.safe_load((ROOT / metafile).read_text())['Models']]


def row(model: dict[str, Any]) -> str:
    """Write the row of a model."""
    metadata = model['Metadata']
    schedule = [f'{metadata[unit]:,} {unit.lower()}' for unit in ('Epochs', 'Iterations') if unit in metadata]
    measured = [f'{one["Dataset"]}: {_figures(one["Metrics"])}' for one in model.get('Results', [])]
    claim = model.get('Published')
    published = f'{claim["Dataset"]}: {_figures(claim["Metrics"])} ({claim["Row"]})' if claim else ''
    name = f'[`{model["Name"]}`](../{model["Config"]})'
    cells = [name, ', '.join(schedule), str(metadata['Batch Size']), '<br>'.join(measured), published]
    return f'| {" | ".join(cells)} |'


def _figures(metrics: dict[str, float]) -> str:
    return ', '.join(f'{name} {value}' for name, value in metrics.items())


def page() -> str:
    """Write the whole page."""
    return '\n'.join([HEAD, *map(row, models()), ''])


if __name__ == '__main__':
    print(page(), end='')
