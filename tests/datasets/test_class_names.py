from ssd_plugin.datasets.class_names import shown


def test_names_are_listed_and_many_are_cut() -> None:
    assert shown(('cat', 'dog')) == '(cat, dog)'
    assert shown([]) == '()'
    names = [str(i) for i in range(21)]
    assert shown(names[:20]) == f'({", ".join(names[:20])})'
    assert shown(names) == f'({", ".join(names[:20])}, ... 21 classes)'
