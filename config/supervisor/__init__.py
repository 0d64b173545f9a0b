"""Behind `./run`: one supervisor starts the broker, the mail server, the pages, the workers and the clock."""

from config.supervisor.children import BackOff
from config.supervisor.programs import (
    Program,
    broker_program,
    clock_program,
    mail_server_program,
    web_program,
    worker_program,
)
from config.supervisor.running import NotReady, Supervisor

__all__ = [
    "BackOff",
    "NotReady",
    "Program",
    "Supervisor",
    "broker_program",
    "clock_program",
    "mail_server_program",
    "web_program",
    "worker_program",
]
