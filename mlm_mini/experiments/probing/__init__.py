"""Who does it and to whom it happens: what a linear probe finds in a frozen model, and whether the model uses it."""
