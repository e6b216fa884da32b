"""The first signal ends a tool with one line, the second one at once."""

import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from ssd_plugin.stop_signals import Stopped, ended_by_signals, on_first_signal


@pytest.mark.parametrize(('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_line_and_the_status_of_a_shell(number: signal.Signals, status: int, capsys: pytest.CaptureFixture) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
    with pytest.raises(SystemExit) as caught, ended_by_signals():
        os.kill(os.getpid(), number)
    assert caught.value.code == status
    assert capsys.readouterr().err == f'stopped by {number.name}\n'
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)] == before


def test_what_another_process_says_is_not_said_again(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as caught, ended_by_signals():
        raise Stopped(signal.SIGTERM, '')
    assert caught.value.code == 143
    assert capsys.readouterr().err == ''


@pytest.mark.parametrize('second', [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_ends_at_once(second: signal.Signals) -> None:
    child = os.fork()
    if child == 0:
        noted: list[int] = []
        on_first_signal(noted.append)
        os.kill(os.getpid(), signal.SIGINT)
        if noted == [signal.SIGINT]:
            os.kill(os.getpid(), second)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -second


def test_forked_processes_end_by_sigterm_even_before_a_lock() -> None:
    # With a handler in Python, 400 pools one after the other never came to their end.
    with ended_by_signals():
        child = os.fork()
        if child == 0:
            plain = (signal.SIG_IGN, signal.SIG_DFL)
            os._exit(tuple(map(signal.getsignal, (signal.SIGINT, signal.SIGTERM))) != plain)
    assert os.waitpid(child, 0)[1] == 0


def interrupt_the_group(survived: Path) -> None:
    os.killpg(0, signal.SIGINT)
    time.sleep(0.2)
    survived.touch()


def test_forked_workers_leave_ctrl_c_to_their_parent(tmp_path: Path) -> None:
    child = os.fork()  # faster than importing the package in a new process
    if child == 0:
        os.setsid()
        os.dup2(os.open(tmp_path / 'printed', os.O_WRONLY | os.O_CREAT), 2)
        sys.stderr = os.fdopen(2, 'w', buffering=1)
        try:
            with ended_by_signals(), ProcessPoolExecutor(1) as pool:
                pool.submit(interrupt_the_group, tmp_path / 'survived').result()
        except SystemExit as ended:
            os._exit(ended.code)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    assert (tmp_path / 'printed').read_text() == 'stopped by SIGINT\n'
    assert (tmp_path / 'survived').exists()
