from typing import Any

import pytest
from mmengine.config import Config

from ssd_plugin.cli.schedule_length import follow_length
from ssd_plugin.errors import UserError

COSINE = {'type': 'CosineAnnealingLR', 'T_max': 80, 'convert_to_iter_based': True}
STEPS = {'type': 'MultiStepLR', 'by_epoch': False, 'milestones': [80000, 100000]}


def run(length: int, *schedulers: dict[str, Any], unit: str = 'max_epochs') -> Config:
    return Config({'train_cfg': {unit: length}, 'param_scheduler': [dict(one) for one in schedulers]})


def followed(planned: Config, **options: Any) -> tuple[list[dict[str, Any]], str]:
    config = Config(planned.to_dict())
    config.merge_from_dict({key.replace('__', '.'): value for key, value in options.items()})
    line = follow_length(config, planned)
    return config.to_dict()['param_scheduler'], line


def test_a_cosine_ends_with_the_run() -> None:
    warm_up = {'type': 'LinearLR', 'by_epoch': False, 'end': 50}
    schedulers, line = followed(run(80, warm_up, COSINE), train_cfg__max_epochs=5)
    assert schedulers == [warm_up, {**COSINE, 'T_max': 5}]
    assert line == 'The schedules follow train_cfg.max_epochs=5: param_scheduler[1].T_max 80 -> 5'


@pytest.mark.parametrize('length', [5, 160])
def test_a_file_that_changes_the_length_alone(length: int) -> None:
    schedulers, line = followed(run(length, COSINE))
    assert schedulers[0]['T_max'] == length
    assert 'T_max 80 -> ' in line


@pytest.mark.parametrize(
    ('scheduler', 'expected'),
    [
        ({'begin': 3, 'T_max': 77}, {'begin': 3, 'T_max': 7}),
        ({'begin': 3, 'end': 80, 'T_max': 77}, {'begin': 3, 'end': 10, 'T_max': 7}),
        ({'begin': 0, 'end': 5, 'T_max': 5}, {'begin': 0, 'end': 5, 'T_max': 5}),
        ({'total_steps': 80}, {'total_steps': 10}),
        ({'power': 0.9, 'end': 80}, {'power': 0.9, 'end': 10}),
        ({'by_epoch': False, 'T_max': 80}, {'by_epoch': False, 'T_max': 80}),
        ({'milestones': [40, 60]}, {'milestones': [5, 8]}),
        ({'milestones': [1, 60]}, {'milestones': [1, 8]}),
    ],
)
def test_what_follows_and_what_stays(scheduler: dict, expected: dict) -> None:
    schedulers, line = followed(run(80, scheduler), train_cfg__max_epochs=10)
    assert schedulers == [expected]
    assert bool(line) == (scheduler != expected)


def test_milestones_keep_their_share_of_the_iterations() -> None:
    schedulers, _ = followed(run(120000, STEPS, unit='max_iters'), train_cfg__max_iters=1200)
    assert schedulers[0]['milestones'] == [800, 1000]
    # One iteration to try a config.
    assert followed(run(120000, STEPS, unit='max_iters'), train_cfg__max_iters=1)[0][0]['milestones'] == [1, 1]


def test_schedules_that_fit_or_are_set_by_hand_stay() -> None:
    for planned in (run(80, COSINE), run(120000, STEPS, unit='max_iters'), Config({'train_cfg': {'max_epochs': 3}})):
        assert follow_length(Config(planned.to_dict()), planned) == ''
    schedulers, line = followed(run(80, COSINE), train_cfg__max_epochs=5, param_scheduler__0__T_max=4)
    assert (schedulers[0]['T_max'], line) == (4, '')


def test_what_cannot_follow_is_refused() -> None:
    with pytest.raises(UserError, match=r'^param_scheduler\[0\]\.begin: 5, expected less than train_cfg\.max_epochs=5'):
        followed(run(80, {**COSINE, 'begin': 5, 'T_max': 75}), train_cfg__max_epochs=5)
    line = r'^param_scheduler\[0\]\.milestones: \[80000, 100000\], expected all below train_cfg\.max_iters=90000'
    with pytest.raises(UserError, match=line):
        followed(run(90000, STEPS, unit='max_iters'))
    with pytest.raises(UserError, match=r'milestones: \[7\], expected all below train_cfg\.max_epochs=5'):
        followed(run(80, {'milestones': [40]}), train_cfg__max_epochs=5, param_scheduler__0__milestones=[7])
