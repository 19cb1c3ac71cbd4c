"""What the words on both sides are worth, and what it costs to read them: masked beside causal."""
