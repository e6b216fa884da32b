from collections import Counter
from pathlib import Path

import pytest

from ssd_plugin.datasets.preparation.split import choose_validation
from ssd_plugin.errors import UserError


def images(*classes: str) -> dict:
    """An image for each text, with an object for each of its letters."""
    return {Path(f'{number:03}.jpg'): Counter(letters) for number, letters in enumerate(classes)}


def test_the_share_is_held_out_of_every_class_and_of_the_background():
    objects = images(*['a'] * 50, *['b'] * 20, *['ab'] * 10, *['c'] * 2, *[''] * 10)
    chosen = choose_validation(objects, {}, (), 0.2, 0)
    held_out = Counter(name for path in chosen for name in set(objects[path]) or {''})
    assert held_out == {'a': 12, 'b': 6, 'c': 1, '': 2}
    assert chosen == choose_validation(objects, {}, (), 0.2, 0)
    assert chosen != choose_validation(objects, {}, (), 0.2, 1)


def test_images_of_the_same_content_stay_together():
    objects = images(*['a'] * 20)
    digests = {path: str(number // 2) for number, path in enumerate(objects)}
    chosen = choose_validation(objects, digests, (), 0.3, 0)
    assert len(chosen) == 6
    assert all(sum(digests[path] == digest for path in chosen) != 1 for digest in digests.values())


def test_a_class_on_one_image_stays_in_training():
    objects = images('a', 'ab', 'a', 'a', 'a')
    for seed in range(10):
        chosen = choose_validation(objects, {}, (), 0.2, seed)
        assert len(chosen) == 1
        assert Path('001.jpg') not in chosen


def test_images_that_may_only_be_trained_on_are_not_chosen():
    objects = images(*['a'] * 10)
    only = {Path(f'00{number}.jpg') for number in range(8)}
    assert choose_validation(objects, {}, only, 0.5, 0) == set(objects) - only


def test_two_images_of_a_class_each_are_divided():
    assert len(choose_validation(images('a', 'b'), {}, (), 0.2, 0)) == 1
    assert len(choose_validation(images('', ''), {}, (), 0.2, 0)) == 1


@pytest.mark.parametrize(
    ('objects', 'digests', 'only', 'found'),
    [
        (images('a'), {}, (), '1 different images, 1 fit'),
        (images('a', 'a'), dict.fromkeys(images('a', 'a'), 'same'), (), '1 different images, 1 fit'),
        (images('a', 'a'), {}, images('a', 'a'), '2 different images, 0 fit'),
    ],
)
def test_what_cannot_be_divided_is_refused(objects, digests, only, found):
    with pytest.raises(UserError, match=f'{found} for validation, expected two at least'):
        choose_validation(objects, digests, only, 0.2, 0)
