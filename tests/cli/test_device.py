import pytest
import torch

from ssd_plugin.cli.device import check_device, describe_device
from ssd_plugin.errors import UserError


def test_devices_that_are_there() -> None:
    for name in ('cpu', None, *(f'cuda:{i}' for i in range(torch.cuda.device_count()))):
        check_device(name)


@pytest.mark.parametrize('name', ['gpu', 'cuda:99', '', 'meta', 'CPU0', '-1'])
def test_a_device_that_is_not_there_is_one_line(name: str) -> None:
    with pytest.raises(UserError) as caught:
        check_device(name)
    assert str(caught.value).startswith(f'--device {name}: no such device here, expected one like cpu')
    assert '\n' not in str(caught.value)


def test_a_device_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    for threads, text in ((1, 'cpu, 1 thread'), (4, 'cpu, 4 threads')):
        monkeypatch.setattr(torch, 'get_num_threads', lambda threads=threads: threads)
        assert describe_device('cpu') == text
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda: 'NVIDIA H200')
    assert describe_device('cuda') == 'cuda, NVIDIA H200'
    assert describe_device('mps') == 'mps'
