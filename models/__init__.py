"""Networks, how their weights come, and what of them trains; nothing of experiments."""
