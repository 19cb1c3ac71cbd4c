"""The experiments: each is a function from a small frozen config and a generator to a result that can show itself."""
