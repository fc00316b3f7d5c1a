"""The figures, drawn from numbers.

matplotlib reads its backend and its settings when it is first imported, and fails there where they
are meant for another program, as a notebook's are in all that it starts. Figures depend on neither.
"""

import os

os.environ["MPLBACKEND"] = "agg"
os.environ["MATPLOTLIBRC"] = os.devnull
