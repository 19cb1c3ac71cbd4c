"""What runs inside the sandbox, and the format in which both sides talk. Imports nothing of the course."""
