"""The model index names files that exist, and models by the names of their configs."""

from pathlib import Path

import yaml

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
