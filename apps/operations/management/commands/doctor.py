"""`./coinsphere doctor`: looks at everything the instance needs and says what to do about it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.core import clock
from apps.operations import actions
from apps.operations.domain.findings import Finding, summary, worst

_MARKS = {"ok": "ok", "warning": "look", "problem": "bad"}


class Command(BaseCommand):
    """The self-check, printed."""

    help = "Check the database, Redis, files, keys and processes, and say what to do about each problem."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        findings = actions.check_everything(read_clock=clock.now)
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_dict() for finding in findings], indent=2))
        else:
            self._print(findings)
        if worst(findings=findings) == "problem":
            raise SystemExit(1)

    def _print(self, findings: list[Finding]) -> None:
        width = max(len(finding.title) for finding in findings)
        for finding in findings:
            self.stdout.write(f"{_MARKS[finding.verdict]:<5} {finding.title:<{width}}  {finding.detail}")
            if finding.fix:
                self.stdout.write(f"{'':<5} {'':<{width}}  {finding.fix}")
        self.stdout.write(summary(findings=findings))
