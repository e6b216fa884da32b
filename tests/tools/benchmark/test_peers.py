import torch
from mmdet.registry import MODELS

from benchmark import peers, synthetic


def test_both_sides_compute_the_same(pair):
    image = synthetic.network_image(1, pair.ours.input_size)
    outputs = []
    with torch.no_grad():
        for model in (pair.ours, pair.mmdet):
            inputs = model.data_preprocessor(dict(inputs=[image]), False)['inputs']
            outputs.append(model.bbox_head(model.extract_feat(inputs)))
    for ours, theirs in zip(sum(outputs[0], []), sum(outputs[1], [])):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_a_sharpened_network_finds_so_many_pairs(pair):
    image = synthetic.network_image(0, pair.ours.input_size)
    head = pair.ours.bbox_head
    with torch.no_grad():
        inputs = pair.ours.data_preprocessor(dict(inputs=[image]), False)['inputs']
        scores, _ = head(pair.ours.extract_feat(inputs))
    logits = torch.cat([level.permute(0, 2, 3, 1).reshape(-1, head.cls_out_channels) for level in scores])
    found = (logits.softmax(1)[:, :-1] > peers.SCORE_THR).sum()
    assert abs(int(found) - peers.CANDIDATES) <= 2


def test_both_sides_keep_pairs_above_the_same_score(pair):
    assert pair.mmdet.bbox_head.test_cfg.score_thr == pair.ours.bbox_head.test_cfg.score_thr == peers.SCORE_THR


def test_the_resnet_of_mmdet_is_the_one_that_ours_measures():
    case = peers.CASES['SSD300 ResNet-18 VOC']
    theirs = MODELS.build(peers.mmdet_config(case).model)
    ours = MODELS.build(peers.our_config(case.ours).model)
    shapes = [{name: value.shape for name, value in model.state_dict().items()} for model in (ours, theirs)]
    assert shapes[0] == shapes[1]


def test_every_case_has_both_configs():
    for case in peers.CASES.values():
        assert peers.our_config(case.ours).model.backbone.init_cfg is None
        assert (peers.MMDET_CONFIGS / case.mmdet).is_file()
