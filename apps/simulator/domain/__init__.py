"""The miniature world in plain Python: prices, accounts and faults as functions of seed, time and what was posted."""
