"""Several blanks at once: what one pass can know, what several passes can, and whether they agree with each other."""
