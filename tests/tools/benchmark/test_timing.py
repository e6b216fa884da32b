import pytest

from benchmark.timing import Budget, Figure, interleave, milliseconds, per_second


class FakeTime:
    def __init__(self):
        self.now = 0.0
        self.calls = []

    def __call__(self):
        return self.now

    def side(self, name, durations):
        left = iter(durations)

        def run():
            self.calls.append(name)
            self.now += next(left)

        return run


def test_sides_take_turns_and_warmups_do_not_count():
    fake = FakeTime()
    sides = {'a': fake.side('a', [9, 1, 2, 3]), 'b': fake.side('b', [9, 4, 5, 6])}
    seconds = interleave(sides, Budget(rounds=3), clock=fake)
    assert fake.calls == ['a', 'b'] * 4
    assert seconds == {'a': [1, 2, 3], 'b': [4, 5, 6]}


@pytest.mark.parametrize(('seconds', 'rounds'), [(0, 2), (5.9, 3), (6.1, 4)])
def test_rounds_go_on_until_the_time_is_spent(seconds, rounds):
    fake = FakeTime()
    found = interleave({'a': fake.side('a', [2.0] * 9)}, Budget(2, seconds, warmups=0), clock=fake)
    assert found == {'a': [2.0] * rounds}


def test_median_and_quartiles():
    assert Figure.of([5, 1, 4, 2, 3]) == Figure(median=3, low=2, high=4)
    assert Figure.of([7]) == Figure(7, 7, 7)
    assert milliseconds([0.002, 0.001, 0.003]) == Figure(2, 1.5, 2.5)
    # The slowest round has the lowest rate.
    assert per_second(6, [1, 2, 3]) == Figure(median=3, low=2.5, high=4.5)


def test_no_measurement_raises():
    with pytest.raises(ValueError, match='empty'):
        Figure.of([])
