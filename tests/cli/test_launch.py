import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config

from ssd_plugin.cli import launch
from ssd_plugin.errors import UserError

# Of tests that set them, whatever the code under test changes goes back too.
VARIABLES = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS')


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in VARIABLES:
        monkeypatch.setenv(name, '1')
    method = torch.multiprocessing.get_start_method(allow_none=True)
    yield monkeypatch
    torch.multiprocessing.set_start_method(method, force=True)
    if dist.is_initialized():
        dist.destroy_process_group()


@pytest.fixture
def alone(environment: pytest.MonkeyPatch) -> Config:
    """The config of a process that a launcher started as the only one, on a machine without GPUs."""
    environment.setattr(launch, 'get_device', lambda: 'cpu')
    for name, value in dict(RANK=0, WORLD_SIZE=1, LOCAL_RANK=0, MASTER_ADDR='127.0.0.1', MASTER_PORT=0).items():
        environment.setenv(name, str(value))
    return Config(dict(launcher='pytorch', env_cfg=dict(dist_cfg=dict(backend='nccl', timeout=60))))


@pytest.fixture
def torchrun_store(environment: pytest.MonkeyPatch) -> dist.TCPStore:
    store = dist.TCPStore('127.0.0.1', 0, is_master=True)
    environment.setenv('MASTER_ADDR', '127.0.0.1')
    environment.setenv('MASTER_PORT', str(store.port))
    environment.setenv('TORCHELASTIC_USE_AGENT_STORE', 'True')
    environment.setenv('TORCHELASTIC_RESTART_COUNT', '0')
    return store


def test_place_of_each_launcher(environment: pytest.MonkeyPatch) -> None:
    assert launch.place_among_processes('none') == (0, 1, 0)
    for launcher, names in launch._VARIABLES.items():
        for name, value in zip(names, ('5', '8', '1')):
            environment.setenv(name, value)
        assert launch.place_among_processes(launcher) == (5, 8, 1)


@pytest.mark.parametrize(
    ('launcher', 'name', 'starter'),
    [
        ('pytorch', 'RANK', 'tools/dist_*.sh or torchrun'),
        ('slurm', 'SLURM_PROCID', 'srun'),
        ('mpi', 'OMPI_COMM_WORLD_RANK', 'mpirun'),
    ],
)
def test_not_started_by_the_launcher(launcher: str, name: str, starter: str, environment: pytest.MonkeyPatch) -> None:
    environment.delenv(name, raising=False)
    with pytest.raises(UserError) as caught:
        launch.place_among_processes(launcher)
    assert str(caught.value) == f'--launcher {launcher}: {name} is not set, expected to be started by {starter}'


def test_processes_without_gpus_talk_over_gloo(alone: Config) -> None:
    launch.join_processes(alone)
    assert dist.get_backend() == 'gloo'
    assert alone.model_wrapper_cfg == dict(
        type='MMDistributedDataParallel', broadcast_buffers=False, find_unused_parameters=False, device_ids=None
    )
    assert torch.multiprocessing.get_start_method() == 'fork'


def test_without_a_launcher_nothing_happens() -> None:
    config = Config(dict(launcher='none'))
    launch.join_processes(config)
    assert config.to_dict() == dict(launcher='none')
    assert not dist.is_initialized()


def test_slurm_names_the_first_machine(alone: Config, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.delenv('MASTER_ADDR')
    environment.setenv('SLURM_NODELIST', 'node[3-4]')
    seen = []
    environment.setattr(subprocess, 'check_output', lambda command, text: seen.append(command) or 'localhost\nnode4\n')
    for name, value in dict(SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_LOCALID='0').items():
        environment.setenv(name, value)
    alone.launcher = 'slurm'
    launch.join_processes(alone)
    assert seen == [['scontrol', 'show', 'hostnames', 'node[3-4]']]
    assert os.environ['MASTER_ADDR'] == 'localhost'
    assert dist.get_world_size() == 1


def test_a_port_in_use(alone: Config, environment: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(('0.0.0.0', 0))
        other.listen()
        port = other.getsockname()[1]
        environment.setenv('MASTER_PORT', str(port))
        with pytest.raises(UserError, match=f'^port {port} is in use on this machine, expected a free one: set PORT'):
            launch.join_processes(alone)


def test_more_processes_than_gpus(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(launch, 'get_device', lambda: 'cuda')
    environment.setattr(torch.cuda, 'is_available', lambda: True)
    environment.setattr(torch.cuda, 'device_count', lambda: 1)
    with pytest.raises(UserError) as caught:
        launch.join_processes(Config(dict(launcher='pytorch')))
    assert str(caught.value) == (
        'process 2 on this machine has no GPU of its own, expected one for each process (GPUs: 1)'
    )


def refuse() -> None:
    raise UserError('a.xml: bad')


@pytest.mark.parametrize('joined', [False, True])
def test_the_main_process_gives_its_result_or_error(joined: bool, alone: Config) -> None:
    if joined:
        launch.join_processes(alone)
    assert launch.on_main_process(lambda: {'boxes': 3}) == {'boxes': 3}
    with pytest.raises(UserError, match=r'^a\.xml: bad$'):
        launch.on_main_process(refuse)


def test_the_first_to_fail_of_each_start(torchrun_store: dist.TCPStore, environment: pytest.MonkeyPatch) -> None:
    assert [launch.first_to_fail() for _ in range(3)] == [True, False, False]
    environment.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert [launch.first_to_fail() for _ in range(2)] == [True, False]


def test_a_process_of_its_own_says_its_error(torchrun_store: dist.TCPStore, environment: pytest.MonkeyPatch) -> None:
    environment.delenv('TORCHELASTIC_USE_AGENT_STORE')
    assert [launch.first_to_fail() for _ in range(2)] == [True, True]


def checkpoint_in(folder: Path) -> str:
    torch.save(dict(meta={}, state_dict={}, message_hub={}, optimizer={}), folder / 'epoch_1.pth')
    return str(folder / 'epoch_1.pth')


Resumed = Callable[[], tuple]


@pytest.fixture
def resumed(torchrun_store: dist.TCPStore, tmp_path: Path) -> Resumed:
    def start() -> tuple:
        config = Config(dict(launcher='pytorch', work_dir=str(tmp_path), resume=False, load_from='coco.pth'))
        launch.resume_if_restarted(config)
        return config.resume, config.load_from

    return start


def test_a_started_job_goes_on_from_its_checkpoint(resumed: Resumed, tmp_path: Path) -> None:
    path = checkpoint_in(tmp_path)
    assert resumed() == (False, 'coco.pth')
    # The number of failures is not counted up when a machine joins.
    assert resumed() == (True, path)


def test_a_restart_that_another_store_counted(
    resumed: Resumed, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    path = checkpoint_in(tmp_path)
    environment.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert resumed() == (True, path)


def test_a_restart_without_checkpoint_starts_as_before(resumed: Resumed) -> None:
    assert [resumed(), resumed()] == [(False, 'coco.pth')] * 2


def test_processes_that_are_runs_of_their_own(torchrun_store: dist.TCPStore, tmp_path: Path) -> None:
    checkpoint_in(tmp_path)
    for _ in range(2):
        config = Config(dict(launcher='none', work_dir=str(tmp_path), resume=False))
        launch.resume_if_restarted(config)
        assert config.resume is False


def test_no_restart_without_torchrun(tmp_path: Path) -> None:
    config = Config(dict(launcher='pytorch', work_dir=str(tmp_path), resume=False))
    launch.resume_if_restarted(config)
    assert config.resume is False
