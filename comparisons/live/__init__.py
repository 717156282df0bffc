"""The race in the browser: arms against each other, live or replayed; a listener of events."""
