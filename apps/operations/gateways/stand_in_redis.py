"""The last resort where no redis-server runs: fakeredis as a server of its own, slow and without memory."""

import signal
import sys

from fakeredis import TcpFakeServer


def main() -> None:
    """Serve on the port given until told to stop."""
    server = TcpFakeServer(("127.0.0.1", int(sys.argv[1])), server_type="redis", server_version=(6, 2))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
