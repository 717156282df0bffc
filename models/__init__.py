"""Networks, how their weights come, and what of them trains; nothing of experiments."""

import sys

# As it is imported, OpenVINO tells its makers, over the network and by files in the user's home,
# unless this part of it is missing. Nothing here reports to anybody.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
