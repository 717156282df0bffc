"""The race on a machine that reaches nobody: in a network namespace of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ALONE = ("unshare", "--net", "--map-root-user")
# A new namespace has a loopback that is down, and no other way out.
INSIDE = """
import errno, fcntl, socket, struct, sys
import pytest
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
    assert any_socket.connect_ex(("192.0.2.1", 80)) == errno.ENETUNREACH
sys.exit(pytest.main(["-q", "-n", "0", "-m", "slow", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_a_whole_race_runs_in_the_browser_where_there_is_no_network():
    if not shutil.which("unshare") or subprocess.run([*ALONE, "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    race = f"{Path(__file__).with_name('test_race_page.py')}::test_a_live_race_in_two_windows"
    done = subprocess.run(
        [*ALONE, sys.executable, "-c", INSIDE, race], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "1 passed" in done.stdout
