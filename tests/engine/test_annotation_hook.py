import logging
from typing import Any
from unittest.mock import Mock

import pytest
from mmengine.registry import HOOKS

from ssd_plugin.datasets import annotation_report
from ssd_plugin.datasets.annotation_report import AnnotationReport
from ssd_plugin.datasets.transforms.filtering import NO_AREA
from ssd_plugin.engine import annotation_hook
from ssd_plugin.engine.annotation_hook import AnnotationReportHook
from ssd_plugin.errors import UserError


def scanning(monkeypatch: pytest.MonkeyPatch, result: Any) -> Mock:
    scan = Mock(side_effect=[result])
    monkeypatch.setattr(annotation_report, 'scan', scan)
    return scan


def test_unusable_boxes_are_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = scanning(monkeypatch, AnnotationReport(2, 9, {NO_AREA: 1}, ('a.xml',)))
    runner = Mock(logger=Mock(spec=logging.Logger))
    HOOKS.build({'type': 'ssd_plugin.AnnotationReportHook'}).before_train(runner)
    runner.logger.warning.assert_called_once_with(
        '1 box of 1 image is unusable and left out (zero or negative width or height: 1): a.xml'
    )
    scan.assert_called_once_with(runner.train_dataloader.dataset, False)


def test_usable_boxes_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = scanning(monkeypatch, AnnotationReport(2, 9, {}, ()))
    runner = Mock(logger=Mock(spec=logging.Logger))
    AnnotationReportHook(allow_other_classes=True).before_train(runner)
    assert runner.logger.method_calls == []
    assert scan.call_args.args[1] is True


def test_an_error_of_the_data_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    scanning(monkeypatch, UserError('a.xml: bad'))
    with pytest.raises(UserError, match=r'a\.xml: bad'):
        AnnotationReportHook().before_train(Mock())


def test_only_the_main_process_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = scanning(monkeypatch, None)
    monkeypatch.setattr(annotation_hook, 'is_main_process', lambda: False)
    AnnotationReportHook().before_train(Mock())
    scan.assert_not_called()
