"""Figures, each made from records alone."""

import logging

# Without a home that can be written matplotlib goes on in a temporary folder, and says so at
# length as it is loaded.
_logger = logging.getLogger("matplotlib")
_level = _logger.level
_logger.setLevel(logging.ERROR)
import matplotlib.font_manager  # noqa: E402, F401

_logger.setLevel(_level)
