import cv2
import numpy as np
import pytest
from mmengine.registry import TRANSFORMS
from PIL import Image

from ssd_plugin.datasets.transforms import LoadImage
from ssd_plugin.datasets.transforms.loading import check_image, is_truncated_jpeg
from ssd_plugin.errors import UserError


@pytest.fixture
def jpeg(make_image):
    return cv2.imencode('.jpg', make_image(64, 48))[1].tobytes()


def load(path):
    return TRANSFORMS.build(dict(type='ssd_plugin.LoadImage'))(dict(img_path=str(path)))


def test_loads_colour(tmp_path, make_image):
    image = make_image(33, 21)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    results = load(tmp_path / 'a.png')
    assert np.array_equal(results['img'], image)
    assert results['img_shape'] == results['ori_shape'] == (21, 33)


def test_grey_image_gets_three_channels(tmp_path, make_image):
    cv2.imwrite(str(tmp_path / 'grey.png'), make_image(33, 21)[..., 0])
    assert load(tmp_path / 'grey.png')['img'].shape == (21, 33, 3)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match=r'none\.jpg: No such file or directory: expected a JPEG'):
        load(tmp_path / 'none.jpg')


def test_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(UserError, match='Is a directory'):
        load(tmp_path)


@pytest.mark.parametrize('name', ['a\0.jpg', '\ud800.jpg', 'x' * 300])
def test_name_that_no_file_can_have(tmp_path, name):
    with pytest.raises(UserError, match=': expected a JPEG') as caught:
        load(tmp_path / name)
    assert str(caught.value).isprintable()


def test_a_chunk_of_a_png_that_pillow_calls_a_syntax_error(tmp_path, make_image):
    data = cv2.imencode('.png', make_image(64, 48))[1].tobytes()
    (tmp_path / 'a.png').write_bytes(data[:-100] + data[-99:])
    with pytest.raises(UserError, match='bytes that do not decode'):
        LoadImage(imdecode_backend='pillow')(dict(img_path=str(tmp_path / 'a.png')))


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('content', [b'', b'<html>not found</html>', b'\xff\xd8\xff\xe0 no header'])
def test_no_image_names_file_and_size(tmp_path, content, backend):
    (tmp_path / 'broken.jpg').write_bytes(content)
    with pytest.raises(UserError, match=rf'broken\.jpg: {len(content)} bytes .*: expected a JPEG') as caught:
        LoadImage(imdecode_backend=backend)(dict(img_path=str(tmp_path / 'broken.jpg')))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('share', [0.5, 0.9, 0.999])
def test_truncated_jpeg_is_refused(tmp_path, jpeg, share):
    cut = jpeg[: int(len(jpeg) * share)]
    (tmp_path / 'cut.jpg').write_bytes(cut)
    assert is_truncated_jpeg(cut)
    with pytest.raises(UserError, match=rf'cut\.jpg: JPEG cut short after {len(cut)} bytes'):
        load(tmp_path / 'cut.jpg')


def test_contents_may_come_from_elsewhere(jpeg):
    assert LoadImage().decode(jpeg, 'row 3').shape == (48, 64, 3)
    with pytest.raises(UserError, match=r'^row 3: JPEG cut short after'):
        LoadImage().decode(jpeg[:-9], 'row 3')
    with pytest.raises(UserError, match=r'^row 3: 64 x 48 pixels: expected 48 x 32'):
        LoadImage().decode(jpeg, 'row 3', 32, 48)


def test_truncated_jpeg_with_a_thumbnail_is_refused(jpeg):
    thumbnail = b'\xff\xe1' + (len(jpeg) + 2).to_bytes(2, 'big') + jpeg
    with_thumbnail = jpeg[:2] + thumbnail + jpeg[2:]
    assert not is_truncated_jpeg(with_thumbnail)
    assert is_truncated_jpeg(with_thumbnail[:-100])


def test_bytes_after_the_end_are_fine(tmp_path, jpeg):
    (tmp_path / 'padded.jpg').write_bytes(jpeg + bytes(1000))
    assert load(tmp_path / 'padded.jpg')['img'].shape == (48, 64, 3)


def test_progressive_jpeg_is_complete(make_image):
    image = make_image(64, 48)
    progressive = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert progressive.count(b'\xff\xda') > 1
    assert not is_truncated_jpeg(progressive)
    assert is_truncated_jpeg(progressive[:-10])


def save_turned(path, image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image[..., ::-1]).save(path, exif=exif)


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize(('orientation', 'turns'), [(1, 0), (6, 3), (8, 1)])
def test_the_annotated_size_tells_whether_exif_turns(tmp_path, make_image, orientation, turns, backend):
    image = make_image(33, 21)
    path = str(tmp_path / 'a.png')
    save_turned(path, image, orientation)
    load = LoadImage(imdecode_backend=backend)
    shown = np.rot90(image, turns)
    height, width = shown.shape[:2]
    assert np.array_equal(load(dict(img_path=path))['img'], shown)
    assert np.array_equal(load(dict(img_path=path, width=width, height=height))['img'], shown)
    results = load(dict(img_path=path, width=33, height=21))
    assert np.array_equal(results['img'], image)
    assert results['img_shape'] == (21, 33)


def test_an_image_of_another_size_than_annotated_is_refused(tmp_path, make_image):
    path = str(tmp_path / 'a.png')
    cv2.imwrite(path, make_image(33, 21))
    for width, height in ((66, 42), (21, 33), (33, 22)):
        with pytest.raises(
            UserError, match=rf'a\.png: 33 x 21 pixels: expected {width} x {height}, on which its boxes'
        ):
            LoadImage()(dict(img_path=path, width=width, height=height))
    assert LoadImage()(dict(img_path=path, width=33.0, height=21.0))['img_shape'] == (21, 33)


def test_a_refused_image_goes_into_quarantine(tmp_path, make_image):
    cv2.imwrite(str(tmp_path / 'good.png'), make_image(33, 21))
    load = LoadImage(quarantine=str(tmp_path / 'list.txt'))
    for _ in range(2):
        assert load(dict(img_path='none.jpg')) is None
    assert load(dict(img_path=str(tmp_path / 'good.png')))['img_shape'] == (21, 33)
    line = 'none.jpg\tnone.jpg: No such file or directory: expected a JPEG, PNG, BMP, WebP or TIFF file\n'
    assert (tmp_path / 'list.txt').read_text() == line


def test_nothing_but_refused_images_is_refused(tmp_path, make_image):
    cv2.imwrite(str(tmp_path / 'good.png'), make_image(33, 21))
    load = LoadImage(quarantine=str(tmp_path / 'list.txt'))
    for _ in range(2):
        assert [load(dict(img_path='none.jpg')) for _ in range(100)] == [None] * 100
        assert load(dict(img_path=str(tmp_path / 'good.png'))) is not None
    assert [load(dict(img_path='none.jpg')) for _ in range(100)] == [None] * 100
    with pytest.raises(UserError, match=r'none\.jpg: No such file'):
        load(dict(img_path='none.jpg'))


def test_passes_on_an_8_bit_colour_image():
    image = np.zeros((4, 5, 3), dtype=np.uint8)
    assert check_image(dict(img=image)) is image


@pytest.mark.parametrize(('shape', 'kind'), [((4, 5), 'uint8'), ((4, 5, 4), 'uint8'), ((4, 5, 3), 'float32')])
def test_refuses_what_is_no_8_bit_colour_image(shape, kind):
    with pytest.raises(UserError, match=r'^a\.jpg: image of shape .*: expected \(H, W, 3\) uint8'):
        check_image(dict(img=np.zeros(shape, dtype=kind), img_path='a.jpg'))
