"""Fill in Table 7 of the paper with this machine's speed."""

from collections.abc import Iterator

from .inference_speed import detection, optimized
from .peers import build_pair, sharpen
from .report import Table7Row
from .settings import Settings
from .synthetic import network_image
from .timing import interleave, per_second

# Source: paper, Table 7 (Titan X with cuDNN v4).
PUBLISHED = {
    'SSD300': Table7Row('SSD300, published, Titan X', 74.3, 46, 59, 8732, 300),
    'SSD512': Table7Row('SSD512, published, Titan X', 76.8, 19, 22, 24564, 512),
}


def rows(settings: Settings) -> Iterator[Table7Row]:
    """Give published and measured lines by turns; ours with ``--amp --fuse-conv-bn``, original images to boxes."""
    for name in list(PUBLISHED)[: 1 if settings.quick else None]:
        yield PUBLISHED[name]
        pair = build_pair(f'{name} VGG-16 VOC', settings.device)
        sharpen(pair, network_image(0, pair.ours.input_size))
        fast = optimized(pair.ours)
        sides = {str(images): detection(fast, pair.ours_config, images) for images in (1, 8)}
        seconds = interleave(sides, settings.budget(), settings.device)
        fps_1, fps_8 = (per_second(images, seconds[str(images)]).median for images in (1, 8))
        counts = zip(pair.ours.map_sizes, pair.ours.bbox_head.num_base_priors)
        boxes = sum(height * width * priors for (height, width), priors in counts)
        yield Table7Row(f'{name}, this machine', None, fps_1, fps_8, boxes, pair.ours.input_size[0])
