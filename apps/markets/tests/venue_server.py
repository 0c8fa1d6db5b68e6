"""A stand-in exchange on this machine: answers each path with what a test has laid out, and counts."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass
class VenueServer:
    """What is answered by path; `fault` is answered to everything instead."""

    answers: dict[str, bytes] = field(default_factory=dict)
    fault: tuple[int, bytes, dict[str, str]] | None = None
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def lay_out(self, name: str) -> None:
        """Answer with the golden payloads of a file: path to body."""
        for path, body in json.loads((DATA / name).read_text(encoding="utf-8")).items():
            self.answers[path] = json.dumps(body).encode()

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers for a path."""
        bare = path.partition("?")[0]
        self.asked[bare] += 1
        if self.fault:
            return self.fault
        return (200, self.answers[bare], {}) if bare in self.answers else (404, b"{}", {})


@contextmanager
def venue_server() -> Iterator[VenueServer]:
    """Run a stand-in exchange on a free port."""
    stand_in = VenueServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, headers = stand_in.answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_details: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
