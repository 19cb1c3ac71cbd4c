"""How much to mask: models trained at many ratios, and asked the same questions."""
