"""The model index names files that exist, models by the names of their configs, and is what the model zoo shows."""

import runpy
from pathlib import Path

import yaml
from mmengine.config import Config

ROOT = Path(__file__).parents[1]


def test_every_model_has_its_config():
    metafiles = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    assert metafiles
    for metafile in metafiles:
        models = yaml.safe_load((ROOT / metafile).read_text())['Models']
        assert models
        for model in models:
            config = ROOT / model['Config']
            assert config.is_file()
            assert config.stem == model['Name']


def test_model_zoo_is_made_from_the_metafiles():
    page = (ROOT / 'docs' / 'model_zoo.md').read_text()
    assert page == runpy.run_path(str(ROOT / 'docs' / 'model_zoo.py'))['page'](), (
        'expected what `make model-zoo` writes'
    )


def test_a_schedule_in_the_model_index_is_that_of_the_config():
    for metafile in yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']:
        if metafile in ('configs/ssd/metafile.yml', 'configs/ablation/metafile.yml'):
            continue  # 49 configs, which test_paper_configs.py reads already
        for model in yaml.safe_load((ROOT / metafile).read_text())['Models']:
            config = Config.fromfile(ROOT / model['Config'])
            length = {'Epochs': config.train_cfg.get('max_epochs'), 'Iterations': config.train_cfg.get('max_iters')}
            stated = {unit: model['Metadata'][unit] for unit in length if unit in model['Metadata']}
            assert stated == {unit: value for unit, value in length.items() if value is not None}, model['Name']
            assert model['Metadata']['Batch Size'] == config.train_dataloader.batch_size, model['Name']
