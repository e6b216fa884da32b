import torch

from benchmark import peers, synthetic


def pairs_per_image(head, outputs):
    found = 0
    for level in outputs.scores:
        logits = level.permute(0, 2, 3, 1).reshape(len(level), -1, head.cls_out_channels)
        found = found + (logits.softmax(2)[..., :-1] > peers.SCORE_THR).flatten(1).sum(1)
    return found


def test_gt_boxes_lie_inside_the_input(pair):
    samples = synthetic.gt_samples(3, 50, (300, 200), 7, 'cpu')
    boxes = torch.cat([sample.gt_instances.bboxes for sample in samples])
    assert boxes.shape == (150, 4)
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes >= 0).all()
    assert (boxes <= torch.tensor([300, 200, 300, 200]) + 1e-3).all()
    assert samples[0].img_shape == (200, 300)
    assert int(torch.cat([sample.gt_instances.labels for sample in samples]).max()) == 6


def test_realistic_outputs_have_few_pairs_and_find_the_objects(pair):
    head = pair.ours.bbox_head
    samples = synthetic.gt_samples(2, 7, pair.ours.input_size, head.num_classes, 'cpu')
    outputs = synthetic.raw_outputs(head, pair.ours.map_sizes, samples)
    assert all(10 < count < 1000 for count in pairs_per_image(head, outputs))
    metas = [sample.metainfo for sample in samples]
    with torch.no_grad():
        found = head.predict_by_feat(*outputs, batch_img_metas=metas)
    best = found[0][found[0].scores > 0.9]
    assert set(best.labels.tolist()) & set(samples[0].gt_instances.labels.tolist())


def test_crowded_outputs_have_every_pair(pair):
    head = pair.ours.bbox_head
    outputs = synthetic.crowded_outputs(head, pair.ours.map_sizes, 1)
    total = sum(level.numel() for level in outputs.boxes) // 4
    assert pairs_per_image(head, outputs).tolist() == [total * head.num_classes]


def test_outputs_become_leaves_in_a_memory_order(pair):
    outputs = synthetic.crowded_outputs(pair.ours.bbox_head, pair.ours.map_sizes, 2)
    for order in (torch.channels_last, torch.contiguous_format):
        for level in sum(outputs.to('cpu', order), []):
            assert level.is_contiguous(memory_format=order)
            assert level.is_leaf
            assert level.requires_grad
