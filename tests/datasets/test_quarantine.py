import multiprocessing
from pathlib import Path

from ssd_plugin.datasets.quarantine import add_image, listed_images


def test_an_image_is_listed_once(tmp_path: Path) -> None:
    path = str(tmp_path / 'quarantine.txt')
    assert listed_images(path) == {}
    for image, fault in (('a b.jpg', 'a b.jpg: cut'), ('ä\udcff.jpg', 'gone'), ('a b.jpg', 'a b.jpg: empty')):
        add_image(path, image, fault)
    assert listed_images(path) == {'a b.jpg': 'a b.jpg: cut', 'ä\udcff.jpg': 'gone'}


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    (tmp_path / 'quarantine.txt').write_text('a.jpg\tcut\nb.jp')
    assert listed_images(str(tmp_path / 'quarantine.txt')) == {'a.jpg': 'cut'}


def _add(path: str, process: int) -> None:
    for number in range(50):
        add_image(path, f'{process}-{number}.jpg', 'x' * 300)


def test_several_processes_write_at_a_time(tmp_path: Path) -> None:
    path = str(tmp_path / 'quarantine.txt')
    context = multiprocessing.get_context('fork')
    processes = [context.Process(target=_add, args=(path, i)) for i in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    images = listed_images(path)
    assert set(images) == {f'{process}-{number}.jpg' for process in range(4) for number in range(50)}
    assert set(images.values()) == {'x' * 300}
