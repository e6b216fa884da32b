"""Run a tool as one of several processes: on GPUs over NCCL, on a CPU over gloo."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any, Callable, TypeVar

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import all_reduce, broadcast_object_list, init_dist, is_distributed, is_main_process
from mmengine.utils.dl_utils import set_multi_processing

from ssd_plugin.engine.checkpoint_search import find_latest_checkpoint
from ssd_plugin.errors import EXIT_STATUS, UserError

Result = TypeVar('Result')

# What each launcher calls the rank, the number of processes and the rank on this machine.
_VARIABLES = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
}


def place_among_processes(launcher: str) -> tuple[int, int, int]:
    """Read which of the processes this one is.

    Args:
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.

    Returns:
        Rank, number of processes, and rank on this machine; (0, 1, 0) without a launcher.

    Raises:
        UserError: No such launcher started this process.
    """
    if launcher == 'none':
        return 0, 1, 0
    missing = [name for name in _VARIABLES[launcher] if not os.environ.get(name, '').isdigit()]
    if missing:
        starter = {'pytorch': 'tools/dist_*.sh or torchrun', 'slurm': 'srun', 'mpi': 'mpirun'}[launcher]
        raise UserError(f'--launcher {launcher}: {missing[0]} is not set, expected to be started by {starter}')
    rank, size, local_rank = (int(os.environ[name]) for name in _VARIABLES[launcher])
    return rank, size, local_rank


def join_processes(config: Config) -> None:
    """Connect this process with the others, before MMEngine's runner would, which then leaves it alone.

    Args:
        config: Has the ``launcher``. ``env_cfg.dist_cfg`` holds where there are GPUs, of it the ``timeout`` (seconds)
            on a CPU; there ``model_wrapper_cfg`` is changed too, because MMEngine's default asks for a GPU.

    Raises:
        UserError: The port is in use, or there are more processes than GPUs.
    """
    if config.launcher == 'none':
        return
    rank, size, local_rank = place_among_processes(config.launcher)
    environment = config.get('env_cfg', {})
    # As the runner does, and before init_dist, which would choose another start method.
    set_multi_processing(**environment.get('mp_cfg', {}), distributed=True)
    settings = environment.get('dist_cfg', {})
    try:
        if get_device() not in ('cpu', 'mps'):
            if torch.cuda.is_available() and local_rank >= torch.cuda.device_count():
                raise UserError(
                    f'process {local_rank + 1} on this machine has no GPU of its own, '
                    f'expected one for each process (GPUs: {torch.cuda.device_count()})'
                )
            init_dist(config.launcher, **settings)
            return
        _set_address(config.launcher)
        os.environ['LOCAL_RANK'] = str(local_rank)
        timeout = timedelta(seconds=settings['timeout']) if 'timeout' in settings else None
        dist.init_process_group('gloo', rank=rank, world_size=size, timeout=timeout)
    except dist.DistNetworkError as error:
        if 'EADDRINUSE' not in str(error):
            raise
        raise port_in_use(os.environ['MASTER_PORT']) from error
    wrapper = config.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=config.get('find_unused_parameters', False),
    )
    config.model_wrapper_cfg = dict(wrapper, device_ids=None)


def _set_address(launcher: str) -> None:
    """Tell torch where the first process is, as MMEngine's ``init_dist`` does."""
    os.environ.setdefault('MASTER_PORT', '29500')
    if launcher == 'slurm' and 'MASTER_ADDR' not in os.environ:
        command = ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']]
        os.environ['MASTER_ADDR'] = subprocess.check_output(command, text=True).split()[0]
    if 'MASTER_ADDR' not in os.environ:
        raise UserError('MASTER_ADDR is not set, expected the address of the machine of the first process')


def port_in_use(port: str) -> UserError:
    """Give the error for a port that another program listens on.

    Args:
        port: As it was asked for.
    """
    return UserError(f'port {port} is in use on this machine, expected a free one: set PORT (MASTER_PORT under Slurm)')


def on_main_process(function: Callable[[], Result]) -> Result:
    """Run something in the main process alone, and give its result to all.

    All processes have to call this, and the others wait no longer than ``env_cfg.dist_cfg.timeout``.

    Args:
        function: Its result can be pickled.

    Returns:
        Its result, in every process.

    Raises:
        UserError: The function raised it; in the main process, which says it.
        SystemExit: In every other process then.
    """
    if not is_distributed():
        return function()
    outcome: list = [None, None]
    if is_main_process():
        try:
            outcome[0] = function()
        except UserError as error:
            outcome[1] = error
    broadcast_object_list(outcome)
    result, refusal = outcome
    if refusal is None:
        return result
    if is_main_process():
        raise refusal
    sys.exit(EXIT_STATUS)


def first_to_fail() -> bool:
    """Tell whether this process has to say its error: it is alone, or no other has failed before.

    A process that fails takes the others with it, whose errors say only that they lost it. torchrun's own store knows
    of them all before they are connected, and after.
    """
    store = _store()
    return store is None or store.add(f'ssd_plugin/failed/{_restarts()}', 1) == 1


def resume_if_restarted(config: Config) -> None:
    """Make a training that torchrun has started again go on from its last checkpoint, as ``--resume`` would.

    torchrun repeats the command of the first start after a failure (``--max-restarts``), and when machines join or
    leave. A run that was lost before its first checkpoint starts as its command says.

    Args:
        config: Changed in place, alike in all processes.

    Raises:
        UserError: There are checkpoints, and none is good.
    """
    store = _store()
    if store is None or config.launcher != 'pytorch':
        return
    before = _restarts()
    if is_main_process():
        before += store.add('ssd_plugin/started', 1) - 1
    # A machine that joined late has not counted the failures before, and a store can be lost with its machine.
    starts = torch.tensor(before)
    all_reduce(starts, 'max')
    latest = on_main_process(lambda: find_latest_checkpoint(config.work_dir)) if starts else None
    if latest is not None:
        config.resume, config.load_from = True, latest


def _restarts() -> int:
    return int(os.environ['TORCHELASTIC_RESTART_COUNT'])


def _store() -> Any:
    """Connect with the store of torchrun; None where torchrun did not start this process or is gone."""
    if os.environ.get('TORCHELASTIC_USE_AGENT_STORE') != 'True':
        return None
    address, port = os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT'])
    try:
        return dist.TCPStore(address, port, is_master=False, timeout=timedelta(seconds=5))  # type: ignore[attr-defined]
    except dist.DistError:
        return None
