import logging
from pathlib import Path
from unittest.mock import Mock

import pytest
from dirty_data import XML, config_of, write_data
from mmengine.registry import HOOKS

from ssd_plugin.engine import annotation_hook
from ssd_plugin.engine.annotation_hook import AnnotationReportHook
from ssd_plugin.errors import UserError


@pytest.fixture
def runner(tmp_path: Path) -> Mock:
    write_data(tmp_path)
    return Mock(logger=Mock(spec=logging.Logger), cfg=config_of(tmp_path, 'voc'))


def test_unusable_boxes_are_one_warning(runner: Mock, tmp_path: Path) -> None:
    for name in 'ab':
        (tmp_path / f'Annotations/{name}.xml').write_text(XML.replace('<xmax>20<', '<xmax>3<', 1))
    HOOKS.build({'type': 'ssd_plugin.AnnotationReportHook'}).before_train(runner)
    runner.logger.warning.assert_called_once_with(
        f'left out: box: zero or negative width or height (2): {tmp_path}/Annotations/a.xml: object 1: bndbox: '
        'zero or negative width or height [2.0, 3.0, 2.0, 24.0], expected a box inside 40 x 30 pixels'
    )


def test_sound_annotations_are_silent(runner: Mock) -> None:
    AnnotationReportHook(allow_other_classes=True).before_train(runner)
    assert runner.logger.method_calls == []


@pytest.mark.parametrize(
    ('name', 'line'),
    [
        ('bird', r"a\.xml: object 1: name: 'bird', expected one of \(cat, dog\)"),
        (
            ' CAT',
            r"a\.xml: object 1: name: ' CAT', expected 'cat'; tools/check_dataset\.py --fix writes a repaired copy$",
        ),
    ],
)
def test_what_cannot_be_read_as_it_is_stops_the_run(name: str, line: str, runner: Mock, tmp_path: Path) -> None:
    (tmp_path / 'Annotations/a.xml').write_text(XML.replace('cat', name))
    with pytest.raises(UserError, match=line):
        AnnotationReportHook().before_train(runner)
    assert not (tmp_path / 'repaired_annotations').exists()


def test_what_a_tool_has_found_is_logged_and_not_looked_for_again(runner: Mock, tmp_path: Path) -> None:
    (tmp_path / 'Annotations/a.xml').write_text('')
    hook = AnnotationReportHook()
    hook.lines = ['found']
    hook.before_train(runner)
    runner.logger.warning.assert_called_once_with('found')


def test_only_the_main_process_looks(runner: Mock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'Annotations/a.xml').write_text('')
    monkeypatch.setattr(annotation_hook, 'is_main_process', lambda: False)
    AnnotationReportHook().before_train(runner)
    assert runner.logger.method_calls == []
