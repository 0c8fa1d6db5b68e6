"""What accounts take from outside: hashing, token signatures, authenticators, the breach list."""
