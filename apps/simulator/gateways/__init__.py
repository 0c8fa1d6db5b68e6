"""The doors of the four exchanges: each one speaks its own wire format over the same world."""
