"""What a set of records says, in numbers and sentences."""
