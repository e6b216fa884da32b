"""Prediction by several processes: what is wrong with the arguments, a killed worker, a stopped run."""

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from random_detector import ROOT, write_detector, write_images

TOOL = ROOT / 'tools' / 'predict_ray.py'
# The last digits depend on how many threads share a convolution. Ray gives a worker one.
ENVIRONMENT = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join([str(ROOT), *sys.path])}
FAULTS = [
    (['--part-size', 0], '--part-size is 0, expected a whole number above 0'),
    (['--batch-size', -1], '--batch-size is -1, expected a whole number above 0'),
    (['--workers', 0], '--workers is 0, expected a whole number above 0'),
    (['--gpus-per-worker', -1], '--gpus-per-worker is -1.0, expected 0 or more'),
    (['--gpus-per-worker', 'nan'], '--gpus-per-worker is nan, expected 0 or more'),
    ([], 'nowhere: No such file or directory, expected a folder of images, a text file of their paths, or Parquet'),
]


def fails(arguments: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, folder: Path) -> str:
    """Run the tool in this process, which must end with status 2; what it printed to stderr."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(TOOL), run_name='__main__')
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(('options', 'line'), FAULTS)
def test_an_argument_that_cannot_be_is_one_line(
    options: list, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    error = fails(['config.py', 'model.pth', 'nowhere', *options], monkeypatch, capsys, tmp_path)
    assert error == f'error: {line}\n'
    assert not list(tmp_path.iterdir())


def test_without_ray_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    write_images(tmp_path / 'images', 1)
    monkeypatch.setitem(sys.modules, 'ray', None)
    error = fails(['config.py', 'model.pth', 'images'], monkeypatch, capsys, tmp_path)
    assert error == "error: ray is not installed, expected it by pip install 'ssd_plugin[ray]'\n"


@pytest.fixture(scope='module')
def detector(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_detector(tmp_path_factory.mktemp('detector'))


class Run:
    """The tool as a process of its own, with two workers and parts of four images.

    Args:
        detector: Config and checkpoint.
        images: What is predicted.
        out: Where to.
    """

    def __init__(self, detector: tuple[Path, Path], images: Path, out: Path) -> None:
        options = ['--part-size', '4', '--batch-size', '4', '--workers', '2', '--gpus-per-worker', '0']
        # Ray's processes inherit it, and are found by it.
        self.mark = f'SSD_PLUGIN_TEST={out}'.encode()
        self.out = out
        self.process = subprocess.Popen(
            [sys.executable, TOOL, *detector, images, '--out-dir', out, *options],
            cwd=ROOT,
            env={**ENVIRONMENT, 'SSD_PLUGIN_TEST': str(out)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def processes(self, name: bytes = b'') -> list[int]:
        """Ids of its processes with a name, itself among them."""
        found = []
        for folder in Path('/proc').glob('[0-9]*'):
            try:
                if self.mark in (folder / 'environ').read_bytes() and name in (folder / 'cmdline').read_bytes():
                    found.append(int(folder.name))
            except OSError:  # It ended meanwhile, or is another user's.
                continue
        return found

    def parts(self) -> list[str]:
        return sorted(path.name for path in self.out.glob('part-*.parquet'))

    def wait_for(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + 300
        while not condition():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.05)

    def finish(self) -> tuple[int, str, str]:
        out, error = self.process.communicate(timeout=600)
        return self.process.returncode, out, error


@pytest.fixture
def start(detector: tuple[Path, Path], tmp_path: Path) -> Iterator[Callable[[], Run]]:
    pytest.importorskip('ray', reason='needs the extra [ray]')
    runs: list[Run] = []

    def start() -> Run:
        runs.append(Run(detector, tmp_path / 'images', tmp_path / 'out'))
        return runs[-1]

    yield start
    for run in runs:
        run.process.kill()


def rows(out: Path) -> list[dict[str, Any]]:
    return pytest.importorskip('pyarrow.parquet').read_table(out).to_pylist()


@pytest.mark.slow
def test_a_killed_worker_costs_no_image_and_doubles_none(
    start: Callable[[], Run], detector: tuple[Path, Path], tmp_path: Path
) -> None:
    images = write_images(tmp_path / 'images', 120)
    run = start()
    run.wait_for(lambda: len(run.parts()) >= 2)
    workers = run.processes(b'ray::MapWorker')
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    assert len(run.parts()) < 30
    status, printed, error = run.finish()
    assert status == 0, error
    assert f'120 of 120 images predicted: {tmp_path}/out' in printed
    assert sorted(path.name for path in run.out.iterdir()) == ['_run.json', *run.parts()]

    infer = [sys.executable, ROOT / 'tools' / 'infer.py', *detector, tmp_path / 'images', '--device', 'cpu']
    infer += ['--out-dir', tmp_path / 'infer', '--batch-size', '4']
    subprocess.run(infer, cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True)
    expected = [json.loads((tmp_path / 'infer' / 'preds' / f'{image.stem}.json').read_text()) for image in images]
    assert rows(run.out) == [{'image': str(i), **e, 'error': None} for i, e in zip(images, expected)]


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:Failed to add:UserWarning')
def test_a_stopped_run_goes_on_where_it_was(
    start: Callable[[], Run],
    detector: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    tmp_path: Path,
) -> None:
    images = write_images(tmp_path / 'images', 60)
    images[1].write_bytes(b'no image')
    images[59].write_bytes(b'')
    first = start()
    first.wait_for(first.parts)
    first.process.kill()
    first.finish()
    end = time.monotonic() + 120
    while first.processes():
        assert time.monotonic() < end, 'processes of Ray outlive the tool'
        time.sleep(0.1)
    before = {path: path.stat().st_mtime_ns for path in first.out.glob('part-*.parquet')}
    assert 0 < len(before) < 15

    status, printed, error = start().finish()
    assert status == 2
    assert f'58 of 60 images predicted: {tmp_path}/out' in printed
    assert error.splitlines()[-1].startswith(
        f'error: 2 of 60 images cannot be read, the first: {images[1]}: 8 bytes that are no image: expected'
    )
    assert {path: path.stat().st_mtime_ns for path in before} == before
    found = rows(first.out)
    assert [row['image'] for row in found] == [str(image) for image in images]
    assert [row['image'] for row in found if row['error']] == [str(images[1]), str(images[59])]

    # Everything is there: nothing is started.
    arguments = [*detector, tmp_path / 'images', '--out-dir', first.out, '--part-size', 4, '--batch-size']
    assert fails([*arguments, 4], monkeypatch, capsys, tmp_path).splitlines()[-1] == error.splitlines()[-1]
    line = f'error: {first.out}/_run.json: batch_size was 4 and is now 5, expected another --out-dir'
    assert fails([*arguments, 5], monkeypatch, capsys, tmp_path).splitlines()[-1] == line
    images[0].unlink()
    line = f'error: {first.out}/_run.json: input was '
    assert fails([*arguments, 4], monkeypatch, capsys, tmp_path).splitlines()[-1].startswith(line)
