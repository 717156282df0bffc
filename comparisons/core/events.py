"""What happens in a run, as those who watch it hear it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tell = Callable[[dict[str, Any]], None]
