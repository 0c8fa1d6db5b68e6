"""Has every process answered? The pages' own health address knows each heartbeat; the socket is asked by itself."""

import http.client
import json
from dataclasses import dataclass

_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class Doors:
    """How to reach what listens, and the name under which the pages expect to be called."""

    host: str
    port: int
    live_port: int
    name: str

    def are_open(self) -> bool:
        """Say whether the pages report every enabled process as answered and the socket's server answers."""
        started = self._status(self.port, "/health/startup") == http.HTTPStatus.OK
        return started and self._status(self.live_port, "/") > 0

    def missing(self) -> str:
        """Return, for a sentence, which processes have not answered yet."""
        answer = self._answer(self.port, "/health/startup")
        try:
            facts = json.loads(answer[1]) if answer else None
        except ValueError:
            facts = None
        if not isinstance(facts, dict):
            return "web"
        waiting = facts.get("missing")
        return ", ".join(map(str, waiting)) if isinstance(waiting, list) and waiting else "live"

    def _status(self, port: int, path: str) -> int:
        answer = self._answer(port, path)
        return answer[0] if answer else 0

    def _answer(self, port: int, path: str) -> tuple[int, bytes] | None:
        connection = http.client.HTTPConnection(self.host, port, timeout=_TIMEOUT)
        try:
            connection.request("GET", path, headers={"Host": self.name, "Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def reachable(host: str) -> str:
    """Return the address under which we ourselves reach what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
