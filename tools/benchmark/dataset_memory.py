"""Measure what a COCO annotation file costs: seconds to load it, memory of the process and of its loader workers.

The file lists images that do not exist: the workers read all annotations and no image. Linux only.

Example: python tools/benchmark/dataset_memory.py --boxes 1700000 --workers 4
"""

import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

import ssd_plugin  # noqa: F401  first: it makes mmdet importable

CLASSES = tuple(f'class {i}' for i in range(80))
BOXES_PER_IMAGE = 7.3  # of COCO train2017: 860,001 in 117,266 images with objects
WIDTH, HEIGHT = 640, 480


def write_annotations(path: Path, boxes: int) -> int:
    """Write a file of random boxes, as large for each box as COCO's own without its masks.

    Args:
        path: Where.
        boxes: How many.

    Returns:
        The number of images.
    """
    draw = random.Random(0)
    images = max(1, round(boxes / BOXES_PER_IMAGE))
    with path.open('w') as file:
        listed = [dict(id=i, file_name=f'{i:012}.jpg', width=WIDTH, height=HEIGHT) for i in range(images)]
        categories = [dict(id=i, name=name) for i, name in enumerate(CLASSES)]
        file.write(f'{{"images": {json.dumps(listed)}, "categories": {json.dumps(categories)}, "annotations": [\n')
        for i in range(boxes):
            x, y = round(draw.uniform(0, WIDTH / 2), 2), round(draw.uniform(0, HEIGHT / 2), 2)
            w, h = round(draw.uniform(8, WIDTH / 2), 2), round(draw.uniform(8, HEIGHT / 2), 2)
            box = dict(bbox=[x, y, w, h], area=w * h, iscrowd=0)
            ids = dict(id=i, image_id=draw.randrange(images), category_id=draw.randrange(len(CLASSES)))
            file.write(f'{"," if i else ""}{json.dumps({**ids, **box})}\n')
        file.write(']}')
    return images


def memory(pid: int) -> dict[str, float]:
    """Read the memory of a process.

    Args:
        pid: Of the process.

    Returns:
        MiB of ``Rss``, all that it sees; ``Pss``, of which pages of several processes count in parts; and ``Private``.
    """
    lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()[1:]
    sizes = {name.rstrip(':'): int(kib) / 1024 for name, kib, _ in map(str.split, lines)}
    return dict(Rss=sizes['Rss'], Pss=sizes['Pss'], Private=sizes['Private_Clean'] + sizes['Private_Dirty'])


def measure(path: Path, workers: int, serialize: bool) -> dict[str, Any]:
    """Load a file as training does, and have the workers read all of it, in random order.

    Args:
        path: The annotation file.
        workers: Of the loader, at least 1.
        serialize: Whether the annotations are kept as one array of bytes, as mmdet does.

    Returns:
        Seconds: ``load``, its ``load_cpu``, and ``scan_cpu`` of the look through the annotations that training starts
        with; :func:`memory` of the process ``before`` and ``after`` loading, and of the ``workers`` in the end.
    """
    from mmdet.datasets import CocoDataset

    from ssd_plugin.datasets.doctor.coco import check_coco
    from ssd_plugin.datasets.doctor.sources import Source

    before = memory(os.getpid())
    started, busy = time.perf_counter(), time.process_time()
    dataset = CocoDataset(
        ann_file=str(path),
        data_prefix=dict(img=''),
        metainfo=dict(classes=CLASSES),
        pipeline=[lambda info: 0],
        serialize_data=serialize,
    )
    load, load_cpu = time.perf_counter() - started, time.process_time() - busy
    after = memory(os.getpid())
    loader = DataLoader(
        dataset,
        batch_size=64,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
        multiprocessing_context='fork',
    )
    for _ in loader:
        pass
    children = Path(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read_text().split()
    found = [memory(int(pid)) for pid in children]
    del loader
    busy = time.process_time()
    check_coco(Source('train', path, path.parent, None, CLASSES, True))
    scan_cpu = time.process_time() - busy
    return dict(load=load, load_cpu=load_cpu, scan_cpu=scan_cpu, before=before, after=after, workers=found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--boxes', type=int, default=1_700_000, help='(default: %(default)s)')
    parser.add_argument('--workers', type=int, default=4, help='of the loader (default: %(default)s)')
    parser.add_argument('--plain', action='store_true', help='keep Python objects (serialize_data=False)')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'train.json'
        images = write_annotations(path, args.boxes)
        print(f'{images} images, {args.boxes} boxes, {path.stat().st_size / 2**20:.0f} MiB of JSON')
        found = measure(path, args.workers, not args.plain)
    print(f'loaded in {found["load"]:.0f} s, of which a core worked {found["load_cpu"]:.0f} s')
    print(f'looked through in {found["scan_cpu"]:.0f} s of a core')
    for name, sizes in [
        ('before loading', found['before']),
        ('after loading', found['after']),
        *((f'worker {i}', sizes) for i, sizes in enumerate(found['workers'], 1)),
    ]:
        print(f'{name}: ' + ', '.join(f'{key} {size:.0f} MiB' for key, size in sizes.items()))


if __name__ == '__main__':
    main()
