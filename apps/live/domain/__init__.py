"""The socket's protocol in plain Python: frames, limits, origins."""
