import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from ssd_plugin.analysis import dry_run
from ssd_plugin.analysis.dry_run import Cost, count_macs
from ssd_plugin.shipped_configs import configs_folder

# (map side after the layer, kernel side, channels in, channels out), counted by hand from the paper's Figure 2 and the
# authors' train prototxt: VGG-16 to fc7, the extra layers, and the predictors of 4 or 6 boxes with 21 classes.
TRUNK = [
    (300, 3, 3, 64),
    (300, 3, 64, 64),
    (150, 3, 64, 128),
    (150, 3, 128, 128),
    (75, 3, 128, 256),
    *[(75, 3, 256, 256)] * 2,
    (38, 3, 256, 512),
    *[(38, 3, 512, 512)] * 2,
    *[(19, 3, 512, 512)] * 3,
    (19, 3, 512, 1024),
    (19, 1, 1024, 1024),
]
EXTRAS = [
    (19, 1, 1024, 256),
    (10, 3, 256, 512),
    (10, 1, 512, 128),
    (5, 3, 128, 256),
    (5, 1, 256, 128),
    (3, 3, 128, 256),
    (3, 1, 256, 128),
    (1, 3, 128, 256),
]
LEVELS = [(38, 512, 4), (19, 1024, 6), (10, 512, 6), (5, 256, 6), (3, 256, 4), (1, 256, 4)]
PREDICTORS = [(side, 3, channels, boxes * (21 + 4)) for side, channels, boxes in LEVELS]


def steps_of(progress: Iterable[Any], description: str) -> Iterable[Any]:
    assert description == 'training steps'
    return itertools.islice(progress, 50)


@pytest.fixture
def cost(config: Config, monkeypatch: pytest.MonkeyPatch) -> Cost:
    monkeypatch.setattr(dry_run, 'SECONDS', 0.0)
    monkeypatch.setattr(dry_run, 'WARM_UP', 1)
    monkeypatch.setattr(dry_run, 'STEPS', 4)
    # Draws the size by the number of the step, which a runner would tell.
    resize = dict(type='BatchSyncRandomResize', random_size_range=(260, 300), size_divisor=20, interval=2)
    config.merge_from_dict(dict(model=dict(data_preprocessor=dict(batch_augments=[resize]))))
    return dry_run.dry_run(config, steps_of)


def test_the_macs_of_ssd300_are_those_counted_by_hand() -> None:
    with torch.device('meta'):
        model = MODELS.build(Config.fromfile(configs_folder() / 'ssd' / 'ssd300_vgg16_voc0712.py').model)
        macs = count_macs(model, torch.zeros(1, 3, 300, 300))
    by_hand = sum(side**2 * kernel**2 * inp * out for side, kernel, inp, out in TRUNK + EXTRAS + PREDICTORS)
    assert macs == by_hand
    assert round(macs / 1e9, 1) == 31.4


def test_a_dry_run_counts_what_the_config_says(cost: Cost, config: Config) -> None:
    model = MODELS.build(config.model)
    assert cost.parameters == cost.trained == sum(parameter.numel() for parameter in model.parameters())
    assert (cost.images, cost.batch_size, cost.batches, cost.iterations) == (6, 2, 3, 3 * 36)
    assert cost.steps == 4  # of two epochs
    assert cost.input_size == (300, 300)
    assert 0 < cost.waiting < 1
    assert 2**27 < cost.memory < 2**34
    assert not Path(config.work_dir).exists()


def test_the_description_has_the_figures() -> None:
    cost = Cost('TABLE', 1234567, 1000, (400, 300), 31_400_000_000, 6, 2, 3, 108, 'cpu, 1 thread', 4, 0.5, 0.25, 2**31)
    lines = cost.describe().splitlines()
    assert lines[0] == 'TABLE'
    figures = dict(line.split(maxsplit=1) for line in lines[1:] if len(line.split()) > 1)
    assert figures['parameters'] == '1,234,567, 1,000 of them trained'
    assert figures['operations'].startswith('31.40 GMACs = 62.80 GFLOPs (a multiply-accumulate is two) for one 400x300')
    assert figures['schedule'] == '36 epochs, 108 iterations'
    assert figures['memory'].startswith('2.00 GiB at its peak (of this process')
    assert figures['estimated'].startswith('time  0:00:54 for the training steps')
    assert '25 % of it waits for data' in cost.describe()
