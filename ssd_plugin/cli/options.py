"""Read KEY=VALUE pairs of a command line."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any, Optional

from mmengine.config import DictAction

from ssd_plugin.errors import UserError, printable


class OptionsAction(DictAction):
    """Collect KEY=VALUE pairs as ``mmengine.config.DictAction`` does; what is no pair is one line."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Sequence[str], option_string: Optional[str] = None
    ) -> None:
        """Add pairs to the namespace.

        Args:
            parser: Which calls this.
            namespace: Where the pairs go.
            values: The pairs.
            option_string: Name of the option, such as ``--cfg-options``.

        Raises:
            UserError: One has no ``=``, no key, or brackets that do not close.
        """
        for pair in values:
            key, sign, value = pair.partition('=')
            unclosed: Any = [brackets for brackets in ('()', '[]') if len({*map(value.count, brackets)}) > 1]
            if not (key and sign and key.isprintable()) or unclosed:
                raise UserError(f'{option_string} {printable(pair)}: expected KEY=VALUE, with every bracket closed')
        super().__call__(parser, namespace, values, option_string)
