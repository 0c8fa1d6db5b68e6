"""The last resort where no redis-server runs: fakeredis as a server of its own, slow and without memory.

It takes the password, but answers those who send none as well: another reason why it is for a look only.
"""

import signal
import sys

from fakeredis import TcpFakeServer


def main() -> None:
    """Serve on the port given, with the password that standard input brings, until told to stop."""
    password = sys.stdin.readline().strip()
    server = TcpFakeServer(("127.0.0.1", int(sys.argv[1])), server_type="redis", server_version=(6, 2))
    server.fake_server.config[b"requirepass"] = password.encode()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
