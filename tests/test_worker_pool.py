"""Worker processes end with the one that started them."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ssd_plugin.stop_signals import ended_by_signals
from ssd_plugin.worker_pool import worker_pool


def work(pipe: int) -> None:
    os.write(pipe, b'%d\n' % os.getpid())
    time.sleep(0.2)


# It forks, which can hang in a process where the pools of other tests' metrics have left threads.
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux tells a process of the end of its parent')
@pytest.mark.parametrize(('number', 'status'), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_workers_end_soon(number: int, status: int) -> None:
    reading, writing = os.pipe()
    child = os.fork()  # faster than importing the package in a new process
    if child == 0:
        try:
            with ended_by_signals(), worker_pool(1) as pool:
                list(pool.map(work, [writing] * 10000))
        except SystemExit as ended:
            os._exit(ended.code)
    worker = int(os.read(reading, 100).split()[0])
    start = time.monotonic()
    os.kill(child, number)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == status
    stat = Path(f'/proc/{worker}/stat')
    # Its new parent may never ask how it ended.
    while stat.exists() and ' Z ' not in stat.read_text():
        assert time.monotonic() < start + 120  # of more than half an hour of work
        time.sleep(0.01)
