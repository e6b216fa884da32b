"""Keep the checkpoints of one run from another."""

import errno
import fcntl
import os
import socket
from pathlib import Path

from mmengine.config import Config

from ssd_plugin.errors import UserError

_LOCK = '.lock'
_CHECKPOINTS = ('last_checkpoint', 'epoch_*.pth', 'iter_*.pth')
# What a file system says that locks nothing; there two runs at once are not noticed.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def check_work_dir(config: Config) -> None:
    """Refuse the work folder of another run.

    Args:
        config: With ``work_dir``, and ``resume`` and ``load_from`` as the command line has them.

    Raises:
        UserError: A run has left checkpoints there that this one does not go on from.
    """
    folder = Path(config.work_dir)
    here = config.get('load_from') is None or Path(config.load_from).resolve().parent == folder.resolve()
    found = [path for pattern in _CHECKPOINTS for path in sorted(folder.glob(pattern))]
    if found and not (config.get('resume') and here):
        raise UserError(
            f'{folder}: {found[0].name} of another run is there, expected --resume to go on with that run, '
            'or another --work-dir'
        )


def claim_work_dir(config: Config) -> None:
    """Take the work folder for this run, until the process ends. Only the main process does.

    Args:
        config: With ``work_dir``.

    Raises:
        UserError: Another run is writing there.
    """
    folder = Path(config.work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)  # open until the process ends, in whichever way
    try:
        # Of this process alone: a lock by flock would stay with the workers that it forks, after it was killed.
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 1000).decode()
        os.close(lock)
        if error.errno in _NO_LOCKS:
            return
        raise UserError(
            f'{folder}: another run is writing there ({holder}), expected its end, or another --work-dir'
        ) from error
    os.truncate(lock, 0)
    os.write(lock, f'process {os.getpid()} on {socket.gethostname()}'.encode())
