"""What is mended of mmdet's parts: they predict, and mixed precision in bfloat16 leaves what would be rounded alone."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from torch import nn


def test_mmdets_ssd_head_predicts():
    anchors = dict(type='SSDAnchorGenerator', input_size=300, strides=[60, 100, 300], ratios=[[2]] * 3)
    anchors.update(basesize_ratio_range=(0.2, 0.9))
    limits = ConfigDict(nms=dict(type='nms', iou_threshold=0.45), nms_pre=10, score_thr=0.02, max_per_img=5)
    settings = dict(num_classes=2, in_channels=[4, 4, 4], anchor_generator=anchors, test_cfg=limits)
    meta = dict(img_shape=(300, 300), scale_factor=(1.0, 1.0))
    maps = [torch.rand(1, 4, side, side) for side in (5, 3, 1)]
    theirs, mended = (MODELS.build(dict(settings, type=name)) for name in ('SSDHead', 'ssd_plugin.MMDetSSDHead'))
    with pytest.raises(AttributeError, match='loss_cls'):
        theirs.predict_by_feat(*theirs(maps), batch_img_metas=[meta])
    (found,) = mended.predict_by_feat(*mended(maps), batch_img_metas=[meta])
    assert 0 < len(found) <= 5
    assert found.labels.max() < 2


def test_proposals_are_predicted_in_bfloat16_and_given_in_float32():
    head = MODELS.build(dict(type='ssd_plugin.Float32RPNHead', in_channels=4, feat_channels=4))
    with torch.autocast('cpu', torch.bfloat16):
        scores, deltas = head.forward_single(torch.rand(1, 4, 3, 3))
    assert (scores.dtype, deltas.dtype) == (torch.float32, torch.float32)
    assert torch.equal(scores, scores.bfloat16().float())


class Corner(nn.Module):
    """A layer of regions that gives their left border in place of a mean of the map."""

    output_size = (1, 1)

    def __init__(self, spatial_scale):
        super().__init__()

    def forward(self, feats, rois):
        return rois[:, 1].reshape(-1, 1, 1, 1).expand(-1, feats.shape[1], 1, 1)


@pytest.mark.parametrize(
    ('name', 'corner'), [('SingleRoIExtractor', 258.0), ('ssd_plugin.Float32RoIExtractor', 257.25)]
)
def test_regions_keep_their_corners_beside_maps_in_bfloat16(name, corner):
    extractor = MODELS.build(dict(type=name, roi_layer=dict(type=Corner), out_channels=3, featmap_strides=[4, 8]))
    maps = [torch.rand(1, 3, side, side, dtype=torch.bfloat16) for side in (75, 38)]
    pooled = extractor(maps, torch.tensor([[0, 257.25, 10, 290, 40]]))
    assert pooled.shape == (1, 3, 1, 1)
    assert pooled.flatten().tolist() == [corner] * 3
