"""Figures, each made from records alone."""
