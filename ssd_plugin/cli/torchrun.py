"""Be torchrun, where an error of the user is one line.

Example: python -m ssd_plugin.cli.torchrun --nproc_per_node=2 tools/train.py CONFIG --launcher pytorch
"""

import logging
import sys

from torch.distributed import DistNetworkError, run
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from .launch import port_in_use
from .tool_main import run_tool


def main() -> None:
    """Run torchrun with the arguments of the command line.

    Raises:
        UserError: The port is in use.
        SystemExit: A process failed; it has said why, unless it was killed: then torchrun's table says so.
    """
    args = run.parse_args(sys.argv[1:])  # type: ignore[no-untyped-call]
    # Repeats that a process failed, which the process has said.
    logging.getLogger('torch.distributed.elastic.multiprocessing.api').setLevel(logging.CRITICAL)
    try:
        run.run(args)  # type: ignore[no-untyped-call]
    except ChildFailedError as error:
        status = error.get_first_failure()[1].exitcode
        if status < 0:
            print(error, file=sys.stderr)
        # As shells do for a process that a signal ended.
        sys.exit(status if status > 0 else 128 - status)
    except DistNetworkError as error:
        if 'EADDRINUSE' not in str(error):
            raise
        raise port_in_use(str(args.master_port)) from error


if __name__ == '__main__':
    run_tool(main)
