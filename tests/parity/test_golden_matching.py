"""Assigned objects equal those of the authors' compiled MatchBBox."""

import golden
import numpy as np
import pytest


@pytest.mark.parametrize('case', golden.load_cases('matching'), ids=lambda case: case['id'])
def test_matching(case):
    priors, gt_bboxes = golden.pixels(case['priors']), golden.pixels(case['gt'])
    found = golden.assign(priors, [gt_bboxes], (golden.SIDE, golden.SIDE), bool(case['cross']))
    np.testing.assert_array_equal(found[0].numpy(), case['index'])
