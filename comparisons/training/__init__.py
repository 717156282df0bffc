"""One run in, one record out."""
