"""What is compared, settled into runs before anything trains."""
