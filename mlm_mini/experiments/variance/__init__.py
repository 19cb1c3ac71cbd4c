"""How noisy the gradient of a masked batch is, and how that depends on the mask ratio."""
