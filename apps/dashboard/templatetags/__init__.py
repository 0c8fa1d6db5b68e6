"""Template tags: the parts of the look (`look`) and of the shell (`shell`)."""
