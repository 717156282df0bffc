"""Figures, each made from records alone."""

import logging
import os
from contextlib import suppress

# Without a home that can be written matplotlib goes on in a temporary folder, and says so at
# length as it is loaded; and it cannot be loaded where MPLBACKEND names no backend, of which the
# figures here need none.
_logger = logging.getLogger("matplotlib")
_level = _logger.level
_logger.setLevel(logging.ERROR)
_backend = os.environ.pop("MPLBACKEND", None)
import matplotlib.font_manager  # noqa: E402

_logger.setLevel(_level)
if _backend is not None:
    os.environ["MPLBACKEND"] = _backend
    with suppress(ValueError):
        matplotlib.rcParams["backend"] = _backend
