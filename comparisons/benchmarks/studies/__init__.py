"""What was measured once to choose a setting; nothing here is guarded."""
