from mmdet.evaluation.functional import imagenet_det_classes

from ssd_plugin.datasets.preparation.synsets import SYNSETS


def test_numbers_stand_for_mmdets_classes():
    assert sorted(SYNSETS.values()) == list(range(1, 201))
    names = dict(enumerate(imagenet_det_classes(), start=1))
    pairs = {
        'n02672831': 'accordion',
        'n02883205': 'bow_tie',
        'n02879718': 'bow',
        'n02084071': 'dog',
        'n00007846': 'person',
        'n06874185': 'traffic_light',
        'n02391049': 'zebra',
    }
    assert {number: names[SYNSETS[number]] for number in pairs} == pairs
