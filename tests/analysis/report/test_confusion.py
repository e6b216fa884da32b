from hand_made import evaluated

from ssd_plugin.analysis.report.confusion import confusion_matrix

BOX, NEAR, FAR = (0, 0, 20, 20), (0, 0, 20, 12), (100, 50, 140, 90)


def matrix(gt, found, score_thr=0.3):
    return confusion_matrix(evaluated((gt, found)), score_thr).tolist()


def test_every_cell_by_hand():
    gt = [(0, BOX), (1, FAR), (2, (150, 0, 190, 40)), (0, (50, 0, 60, 10), 1)]
    found = [
        (0, 0.9, BOX),  # a cat that is a cat
        (0, 0.8, NEAR),  # a second one for the same cat: background
        (2, 0.7, FAR),  # a dog taken for an owl
        (1, 0.6, FAR[:2] + (139, 90)),  # and found as a dog
        (0, 0.5, (50, 0, 60, 10)),  # where objects are ignored
        (1, 0.2, (150, 0, 190, 40)),  # scores too little
    ]
    assert matrix(gt, found) == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 1],
        [1, 0, 1, 0],
    ]


def test_a_class_taken_for_another():
    assert matrix([(1, BOX)], [(0, 0.9, NEAR)]) == [[0] * 4, [1, 0, 0, 0], [0] * 4, [0] * 4]
    # IoU 0.45 is not enough.
    assert matrix([(1, BOX)], [(0, 0.9, (0, 0, 20, 9))])[3][0] == 1


def test_the_object_that_overlaps_most_is_taken_once():
    assert matrix([(1, NEAR), (2, BOX)], [(0, 0.9, BOX), (0, 0.8, BOX)])[1:] == [[1, 0, 0, 0], [1, 0, 0, 0], [0] * 4]


def test_a_threshold_leaves_objects_to_nothing():
    assert matrix([(0, BOX)], [(0, 0.9, BOX)], 0.95)[0] == [0, 0, 0, 1]


def test_nothing_there():
    assert matrix([], []) == [[0] * 4] * 4


def test_objects_of_other_images_are_not_taken():
    evaluation = evaluated(([(1, BOX)], []), ([], [(0, 0.9, BOX)]))
    assert confusion_matrix(evaluation, 0.3).tolist() == [[0] * 4, [0, 0, 0, 1], [0] * 4, [1, 0, 0, 0]]
