"""Ideas about people and their tokens, in plain Python."""
