"""Each fault of VOC annotations: refused in one line, or repaired so that mmdet's reader loads what is meant."""

from pathlib import Path

import pytest
from annotation_runs import COCO_OBJECT, OBJECTS, refused, repaired
from dirty_data import BOX, XML
from mmengine.config import Config


def test_sound_data_is_left_alone(voc: Config, coco: Config, data: Path) -> None:
    for config, objects in ((voc, OBJECTS), (coco, [COCO_OBJECT])):
        before = config.to_dict()
        assert repaired(config, data) == ([], [objects, objects], [objects])
        assert config.to_dict() == before
    assert not (data / 'copies').exists()


CAT = 'object 1 (cat)'
XML_REFUSED = [
    (XML, '', ' an empty file, expected an annotation of VOC'),
    (XML, XML[:100], ' no XML that parses (unclosed token'),
    (XML, 'hello', ' no XML that parses (syntax error'),
    (XML, '<?xml version="1.0" encoding="none"?><a/>', ' no XML that parses (unknown encoding'),
    (XML, '\x00', ' no XML that parses'),
    ('<name>cat</name>', '', ' object 1: name: missing, expected a class'),
    ('<name>cat</name>', '<name> </name>', ' object 1: name: empty, expected a class'),
    (
        '<name>cat</name>',
        '<name>bird</name>',
        " object 1: name: 'bird', expected one of (cat, dog); list it in",
    ),
    ('<name>dog</name>', '<name>dgo</name>', " object 2: name: 'dgo', expected 'dog', one of (cat, dog); list it"),
    (BOX, '', f' {CAT}: bndbox: missing, expected xmin, ymin, xmax and ymax'),
    ('<xmin>3</xmin>', '', f' {CAT}: bndbox.xmin: missing, expected a number'),
    ('<ymax>25</ymax>', '<ymax/>', f' {CAT}: bndbox.ymax: empty, expected a number'),
    ('<xmax>20</xmax>', '<xmax>2O</xmax>', f" {CAT}: bndbox.xmax: '2O', expected a number"),
    ('<ymin>4</ymin>', '<ymin>4,5</ymin>', f" {CAT}: bndbox.ymin: '4,5', expected a number"),
    ('<difficult>0<', '<difficult>yes<', f" {CAT}: difficult: 'yes', expected 0 or 1"),
]


@pytest.mark.parametrize('name', ['a', 'c'])
@pytest.mark.parametrize(('old', 'new', 'line'), XML_REFUSED)
def test_a_fault_in_an_xml_file_is_named(old: str, new: str, line: str, name: str, voc: Config, data: Path) -> None:
    (data / f'Annotations/{name}.xml').write_text(XML.replace(old, new, 1))
    assert refused(voc, data).startswith(f'Annotations/{name}.xml:{line}')


def test_a_missing_xml_file_is_named(voc: Config, data: Path) -> None:
    (data / 'Annotations/c.xml').unlink()
    assert refused(voc, data) == (
        "Annotations/c.xml: no such file, though val.txt lists 'c', expected an annotation of VOC"
    )


def test_further_faults_are_counted(voc: Config, data: Path) -> None:
    for name in 'ab':
        (data / f'Annotations/{name}.xml').write_text('')
    assert refused(voc, data).endswith(' (and 1 more: tools/check_dataset.py lists them)')


XML_REPAIRED = [
    ('<name>cat<', '<name>\n cat <', OBJECTS),
    ('<name>cat<', '<name>CAT<', OBJECTS),
    ('<difficult>0<', '<difficult><', OBJECTS),
    ('<width>40<', '<width><', OBJECTS),
    ('<width>40<', '<width>0<', OBJECTS),
    ('<width>40<', '<width>40.0<', OBJECTS),
    ('<width>40</width>', '', OBJECTS),
    ('<width>40<', f'<width>{"9" * 5000}<', OBJECTS),
    ('<height>30<', '<height>thirty<', OBJECTS),
    ('<xmin>3<', '<xmin>NaN<', OBJECTS[1:]),
    ('<xmax>20<', '<xmax>inf<', OBJECTS[1:]),
    ('<ymax>25<', '<ymax>-inf<', OBJECTS[1:]),
    ('<ymin>4<', '<ymin>-1e30<', OBJECTS[1:]),
    ('<xmax>20<', '<xmax>1e30<', OBJECTS[1:]),
    ('<xmax>20<', '<xmax>1e999<', OBJECTS[1:]),
]


@pytest.mark.parametrize('name', ['a', 'c'])
@pytest.mark.parametrize(('old', 'new', 'objects'), XML_REPAIRED)
def test_an_xml_file_is_repaired(old: str, new: str, objects: list, name: str, voc: Config, data: Path) -> None:
    (data / f'Annotations/{name}.xml').write_text(XML.replace(old, new, 1))
    (line,), train, val = repaired(voc, data)
    assert f'{data}/Annotations/{name}.xml: ' in line
    assert [train[0], val[0]] == ([objects, OBJECTS] if name == 'a' else [OBJECTS, objects])
    assert train[1] == OBJECTS


@pytest.mark.parametrize(
    ('field', 'line'),
    [
        ('<width>40</width>', 'missing'),
        ('<height>30</height>', 'missing'),
    ],
)
def test_no_size_and_no_image_is_refused(field: str, line: str, voc: Config, data: Path) -> None:
    (data / 'Annotations/a.xml').write_text(XML.replace(field, ''))
    (data / 'JPEGImages/a.jpg').write_bytes(b'')
    assert refused(voc, data).startswith('Annotations/a.xml: size: ')


LISTS = ['a\n\nb\n', '\n\na\nb', 'a \n\tb\n', 'a\r\nb\r\n\r\n', 'a.jpg\nb.jpg\n', 'a.xml\nb.JPG \n']


@pytest.mark.parametrize('text', LISTS)
def test_blanks_and_endings_in_a_list_are_repaired(text: str, voc: Config, data: Path) -> None:
    (data / 'train.txt').write_bytes(text.encode())
    lines, train, _ = repaired(voc, data)
    assert train == [OBJECTS, OBJECTS]
    assert len(lines) == 1
    assert 'name in a list' in lines[0]


def test_a_list_with_windows_line_ends_is_sound(voc: Config, data: Path) -> None:
    (data / 'train.txt').write_bytes(b'a\r\nb\r\n')
    assert repaired(voc, data) == ([], [OBJECTS, OBJECTS], [OBJECTS])


def test_a_name_that_leads_out_of_the_folder_is_refused(voc: Config, data: Path) -> None:
    for name in ('../Annotations/b', f'{data}/Annotations/b'):
        (data / 'train.txt').write_text(f'a\n{name}\n')
        line = f'train.txt: line 2: {name!r}, expected a name below {data}/Annotations'
        assert refused(voc, data) == line.replace(f'{data}/', '')


@pytest.mark.parametrize('part', ['train', 'val'])
@pytest.mark.parametrize('text', ['', '\n \n'])
def test_an_empty_list_is_refused(text: str, part: str, voc: Config, data: Path) -> None:
    (data / f'{part}.txt').write_text(text)
    assert refused(voc, data).startswith(f'{part}.txt: no image is listed, expected a name of an image a line')


@pytest.mark.parametrize('name', ['x' * 300, 'x' * 300 + '.jpg', 'a\x0cb', 'a\u2028b', 'a\0'])
def test_a_name_of_no_file_is_refused(name: str, voc: Config, data: Path) -> None:
    (data / 'train.txt').write_text(f'a\n{name}\n')
    assert refused(voc, data).startswith(f'Annotations/{ascii(name)[1:-1].removesuffix(".jpg")}.xml: no ')


def test_elements_too_deep_to_be_written_are_refused(voc: Config, data: Path) -> None:
    deep = '<a>' * 2000 + '</a>' * 2000
    (data / 'Annotations/a.xml').write_text(XML.replace('<object>', f'{deep}<object>'))
    assert repaired(voc, data)[0] == []
    (data / 'Annotations/a.xml').write_text(XML.replace('<object>', f'{deep}<object>').replace('>0<', '><'))
    assert refused(voc, data).startswith('Annotations/a.xml: elements within elements, hundreds of levels deep')


def test_a_list_that_is_no_text_is_refused(voc: Config, data: Path) -> None:
    (data / 'train.txt').write_bytes(b'\xff\xfe\x00')
    assert 'train.txt: ' in refused(voc, data)
