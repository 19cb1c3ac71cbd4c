"""Sentences written by filling in blanks: the likelihood that all mask ratios bound, and what parallel steps cost."""
