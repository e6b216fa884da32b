"""Worker processes end with the one that started them."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
from ssd_plugin.stop_signals import ended_by_signals
from ssd_plugin.worker_pool import worker_pool

def work(_):
    os.write(1, b'%d\\n' % os.getpid())
    time.sleep(0.5)

with ended_by_signals(), worker_pool(1) as pool:
    list(pool.map(work, range(1000)))
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux tells a process of the end of its parent')
@pytest.mark.parametrize(('end', 'status'), [('kill', -9), ('terminate', 143)])
def test_workers_end_soon(end: str, status: int) -> None:
    with subprocess.Popen([sys.executable, '-c', PROGRAM], stdout=subprocess.PIPE, text=True) as main:
        worker = int(main.stdout.readline())
        getattr(main, end)()
        assert main.wait() == status  # long before a thousand pieces of work
        stat = Path(f'/proc/{worker}/stat')
        for _ in range(1000):
            # Its new parent may never ask how it ended.
            if not stat.exists() or ' Z ' in stat.read_text():
                break
            time.sleep(0.01)
        else:
            pytest.fail('the worker lives on')
