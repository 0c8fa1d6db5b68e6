"""The console's verbs; one file a topic, the public ones named here."""

from apps.operations.actions.backups import back_up, restore
from apps.operations.actions.heartbeats import beat, end_beat
from apps.operations.actions.preparation import bring_tables_up_to_date, collect_static_files
from apps.operations.actions.self_checks import check_everything, run_self_check, start_self_check
from apps.operations.actions.work import cancel_job, retry_job

__all__ = [
    "back_up",
    "beat",
    "bring_tables_up_to_date",
    "cancel_job",
    "check_everything",
    "collect_static_files",
    "end_beat",
    "restore",
    "retry_job",
    "run_self_check",
    "start_self_check",
]
