"""What several tests of the race have in common: a browser, and a race that is served."""

from __future__ import annotations

import pytest
from browser import chromium
from races import served


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as session:
        yield session


@pytest.fixture(scope="module")
def race():
    """One that could start runs, and never does here."""
    with served() as found:
        yield found
