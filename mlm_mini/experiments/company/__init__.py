"""Which words keep the same company, exactly and by counting, and whether a model's vectors say so."""
