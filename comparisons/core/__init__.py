"""The words that every room speaks: records, phases, events, errors, files, cache, machine."""
