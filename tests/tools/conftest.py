"""Makes what lies beside the tools importable, behind everything else: there is a standard module ``test``."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / 'tools'))
