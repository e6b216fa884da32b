"""What a file says of itself."""

import json

import pytest
from test_suppression import METADATA

from ssd_plugin.deployment.metadata import FileMetadata
from ssd_plugin.errors import UserError


def test_it_comes_back_from_its_text() -> None:
    assert FileMetadata.from_json(METADATA.to_json(), 'a.onnx') == METADATA


@pytest.mark.parametrize('text', ['', '{}', '[]', 'null', '{"format_version": 1}', '{"format_version": 2}'])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r'^a\.onnx: .+, expected'):
        FileMetadata.from_json(text, 'a.onnx')


def test_every_entry_is_needed() -> None:
    content = json.loads(METADATA.to_json())
    del content['classes']
    with pytest.raises(UserError, match='no sound ssd_plugin metadata'):
        FileMetadata.from_json(json.dumps(content), 'a.onnx')
