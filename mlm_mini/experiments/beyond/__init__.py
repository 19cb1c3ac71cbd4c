"""Masked models of proteins, code and Greek beside models that count, and what they are good for."""
