"""A throw-away PostgreSQL and Redis that a test may stop and start again, beside a product that uses them."""

import os
import signal
import subprocess
from pathlib import Path

from apps.operations.domain.processes import Program
from apps.operations.gateways import postgres, redis_server
from apps.operations.gateways.unprivileged import find_account, own_folder
from apps.operations.supervisor.ports import free_port
from bench.machine import family
from tests.journeys.product import wait_for


class Outside:
    """The two services, each with its address; `stop` and `start` take the name of one."""

    def __init__(self, root: Path) -> None:
        account = find_account()
        self._folder = root
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.database = postgres.Cluster(
            folder=root / "postgres",
            binaries=postgres.find_binaries(account=account),
            account=account,
            port=free_port(),
            password="outside",
            durable=False,
        )
        self.broker = redis_server.Broker(
            program=redis_server.find_program(account=account),
            folder=root / "redis",
            account=account,
            port=free_port(),
            password="outside",
            durable=False,
        )

    def create(self) -> None:
        """Make the cluster and start both."""
        for program in self.database.creation():
            assert self._spawn(program).wait(timeout=60) == 0, self.log
        self.database.settle()
        own_folder(folder=self.broker.folder, account=self.broker.account)
        self.start("postgres")
        self.start("redis")

    def start(self, name: str) -> None:
        """Start a service, and return when it answers."""
        server = self.database if name == "postgres" else self.broker
        self._running[name] = self._spawn(server.server())
        wait_for(server.accepts, seconds=30, what=f"{name} to answer")

    def stop(self, name: str) -> None:
        """End a service with all its connections, and return when it is gone."""
        process = self._running.pop(name)
        process.send_signal(self.database.server().stop_signal if name == "postgres" else 15)
        process.wait(timeout=20)

    def freeze(self, name: str) -> None:
        """Stop the clock of a service: its kernel still accepts connections, and nothing is answered."""
        for member in family(self._running[name].pid):
            os.kill(member, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on."""
        for member in family(self._running[name].pid):
            os.kill(member, signal.SIGCONT)

    def end(self) -> None:
        """End what runs."""
        for name in list(self._running):
            self.stop(name)

    @property
    def log(self) -> str:
        """Return what the services said."""
        return (self._folder / "outside.log").read_text(encoding="utf-8")

    def _spawn(self, program: Program) -> "subprocess.Popen[bytes]":
        account = program.account
        with (self._folder / "outside.log").open("ab") as log:
            process = subprocess.Popen(
                program.argv,
                cwd=program.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=account.user_id if account else None,
                group=account.group_id if account else None,
                extra_groups=[] if account else None,
            )
        assert process.stdin is not None
        process.stdin.write(program.stdin.encode())
        process.stdin.close()
        return process
