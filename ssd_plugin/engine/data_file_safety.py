"""Read no data file in a way that could run code from it.

A data set of MMEngine may keep its annotations in a pickle or in YAML, mmdet takes proposals from a pickle, and both
read whatever the file holds.
"""

from typing import Any

import yaml
from mmengine.fileio.handlers import PickleHandler, YamlHandler
from mmengine.fileio.io import file_handlers

from ssd_plugin.errors import UserError


class _NoPickles(PickleHandler):
    """Writes pickles, and reads none."""

    def load_from_fileobj(self, file: Any, **options: Any) -> Any:
        raise UserError('ann_file or proposal_file: a pickle, which could run code, is not read, expected JSON or XML')


class _PlainYaml(YamlHandler):
    """Reads values, Python's tuples among them, and calls nothing."""

    def load_from_fileobj(self, file: Any, **options: Any) -> Any:
        try:
            return super().load_from_fileobj(file, Loader=yaml.FullLoader, **options)
        except yaml.YAMLError as error:
            reason = str(error).splitlines()[0]
            raise UserError(f'ann_file: a YAML file is not readable as plain values ({reason})') from error


def install() -> None:
    """Make MMEngine read data files safely in the whole process; a second call changes nothing.

    The tools ask for it once they have their config, which is code in any case. ``import ssd_plugin`` alone does not:
    mmdet's own analysis scripts read the pickles of ``tools/test.py --out``.
    """
    file_handlers.update(dict.fromkeys(('pkl', 'pickle'), _NoPickles()))
    file_handlers.update(dict.fromkeys(('yaml', 'yml'), _PlainYaml()))
