import json

from ssd_plugin.analysis.report.log_curves import read_curves


def write(work, start, *lines, end=''):
    folder = work / start / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(''.join(f'{json.dumps(line)}\n' for line in lines) + end)


def train(step, loss):
    return {'loss': loss, 'lr': 0.1, 'time': 1.0, 'data_time': 0.5, 'epoch': 1, 'step': step}


def test_training_and_validation_are_told_apart(tmp_path):
    write(tmp_path, '20260101_000000', train(10, 3.0), {'coco/bbox_mAP': 0.5, 'time': 1.0, 'step': 1}, train(20, 2.0))
    curves = read_curves(tmp_path)
    assert [(point.step, point.values['loss']) for point in curves.train] == [(10, 3.0), (20, 2.0)]
    assert curves.train[0].values.keys() == {'loss', 'lr', 'epoch'}
    assert curves.val == [(1, {'coco/bbox_mAP': 0.5})]


def test_a_resumed_run_is_joined(tmp_path):
    """The first start got to step 30, its checkpoint was of step 15, and nothing was validated again."""
    write(tmp_path, '20260101_000000', train(10, 3.0), train(20, 2.0), {'AP': 0.1, 'step': 1}, train(30, 1.0))
    write(tmp_path, '20260102_000000')
    write(tmp_path, '20260103_000000', train(20, 2.5), train(30, 1.5), train(40, 0.5), {'AP': 0.2, 'step': 2})
    curves = read_curves(tmp_path)
    assert [point.values['loss'] for point in curves.train] == [3.0, 2.5, 1.5, 0.5]
    assert [point.values['AP'] for point in curves.val] == [0.1, 0.2]


def test_lines_cut_short(tmp_path):
    """One that is being written, and one of a run that was killed while it wrote."""
    write(tmp_path, '20260101_000000', train(10, 3.0), end='{"loss": 2.\n{"loss": 9.0, "step": 20}\n{"loss": 1.0, "st')
    assert [point.step for point in read_curves(tmp_path).train] == [10, 20]


def test_no_logs(tmp_path):
    assert read_curves(tmp_path) == ([], [])
