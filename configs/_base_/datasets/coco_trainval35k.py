# COCO as the paper splits it: train on train2014 + valminusminival2014, test on minival2014.
_base_ = './coco.py'
annotations = 'annotations/instances_{}2014.json'
train_set = dict(_base_.train_dataloader.dataset, data_prefix=dict(img=''))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,  # two data sets in place of one
        type='ConcatDataset',
        datasets=[
            dict(train_set, ann_file=annotations.format('train'), data_prefix=dict(img='train2014/')),
            dict(train_set, ann_file=annotations.format('valminusminival'), data_prefix=dict(img='val2014/')),
        ],
    )
)
val_dataloader = dict(dataset=dict(ann_file=annotations.format('minival'), data_prefix=dict(img='val2014/')))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=f'{_base_.data_root}/{annotations.format("minival")}')
test_evaluator = val_evaluator
