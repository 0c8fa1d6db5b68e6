"""The wire of each venue in miniature, and the control routes beside it."""
