"""Make golden loss files again: `python tests/remake_golden.py [protocol …]`.

Only after a change of the engine that is meant to change results; its commit says so.
"""

import sys
import tempfile
from pathlib import Path

from golden_runs import RUNS, path, write

if __name__ == "__main__":
    for protocol in sys.argv[1:] or RUNS:
        with tempfile.TemporaryDirectory() as folder:
            write(protocol, Path(folder))
        print(path(protocol))
