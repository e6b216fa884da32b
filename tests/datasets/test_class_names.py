from ssd_plugin.datasets.class_names import format_class_names


def test_names_are_listed_and_many_are_cut() -> None:
    assert format_class_names(('cat', 'dog')) == '(cat, dog)'
    assert format_class_names([]) == '()'
    names = [str(i) for i in range(21)]
    assert format_class_names(names[:20]) == f'({", ".join(names[:20])})'
    assert format_class_names(names) == f'({", ".join(names[:20])}, ... 21 classes)'
