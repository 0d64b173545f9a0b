"""`manage.py up`: brings the data directory up to date, starts everything, says where, keeps it running."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import OperationalError
from django.utils import timezone

from config import checks, env, first_start
from config.supervisor import broker, instance, ports, programs, report
from config.supervisor.running import NotReady, Supervisor
from letters import instance as instance_row

READY_WITHIN = 60.0  # seconds
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_REASONS = (
    instance.AlreadyRunning, ports.PortTaken, ports.AddressUnusable, broker.BrokerMissing, NotReady, OSError,
    ImproperlyConfigured,
)
Say = Callable[[str], None]


class CannotStart(Exception):
    """A setting or something around us keeps Postbag from starting; the sentence names the cure."""

    code = "cannot_start"


def up(say: Say = report.say) -> None:
    """Run until told to stop. Raises CannotStart with one sentence."""
    try:
        with instance.only_one(settings.DATA, say, programs.FINISHING_FOR + 10) as lock:
            _up(say, lock)
    except _REASONS as error:
        raise CannotStart(str(error)) from error


def _up(say: Say, lock: int) -> None:
    host = ports.listening_host(env.text("HOST"))
    checks.refuse_unproved_hooks()
    ports.require_free(settings.PORT, "PORT", host)
    chosen, mail_port = choose(host)
    prepare_database(say)
    prepare_static(say)
    made = first_start.prepare(lambda deed: say(f"First start: {deed}."))
    instance_row.look(now=timezone.now())  # a restored backup is put on hold before the pages open
    connections.close_all()
    say(f"Starting {', '.join(program.name for program in chosen)}.")
    supervisor = Supervisor(chosen, inherited=[lock])
    with supervisor.obeying_signals(), supervisor:
        try:
            supervisor.wait_ready(READY_WITHIN)
        except NotReady:
            if made is not None:
                say(report.sign_in(made))
            raise
        if not supervisor.stopping:
            say(report.ready(settings.BASE_URL, str(settings.DATA), supervisor.pids(), mail_port, made))
            made = None
            if host not in _LOOPBACK and not env.text("BASE_URL"):
                say(f"Pages listen on {host}, but answer to localhost only: set BASE_URL to their address.\n")
        supervisor.run_forever()
    if made is not None:
        say(report.sign_in(made))
    say("Postbag has ended.")


def choose(host: str) -> tuple[list[programs.Program], int | None]:
    """Return what the settings ask to run, and the built-in mail server's port where there is one."""
    environment = {
        **os.environ,
        "POSTBAG_DATA": str(settings.DATA),
        "PORT": str(settings.PORT),
        "PYTHONUNBUFFERED": "1",
    }
    chosen: list[programs.Program] = []
    mail_port: int | None = None
    if settings.BUILT_IN_MAIL_SERVER:
        mail_port = settings.POSTBOX_PORT or ports.kept_mail_port(settings.DATA)
        ports.require_free(mail_port, "POSTBOX_PORT")
        environment["POSTBOX_PORT"] = str(mail_port)
    if not env.text("REDIS_URL"):
        socket = Path(env.text("POSTBAG_BROKER_SOCKET") or broker.socket_path(settings.DATA))
        environment["POSTBAG_BROKER_SOCKET"] = str(socket)
        chosen.append(programs.broker_program(settings.DATA, socket, environment))
    if mail_port is not None:
        chosen.append(programs.mail_server_program(settings.DATA, mail_port, environment))
    chosen.append(programs.web_program(host, settings.PORT, environment))
    chosen += [programs.worker_program(number, environment) for number in range(1, settings.WORKERS + 1)]
    chosen.append(programs.clock_program(environment))
    inbound = [(settings.INBOUND_PORT, "INBOUND_PORT"), (settings.INBOUND_LMTP_PORT, "INBOUND_LMTP_PORT")]
    if any(port for port, _ in inbound) and not settings.REHEARSAL:
        for port, setting in inbound:
            if port:
                ports.require_free(port, setting, settings.INBOUND_HOST)
        chosen.append(programs.receiver_program(environment))
    return chosen, mail_port


def prepare_database(say: Say) -> None:
    """Migrate where a migration is missing. Raises CannotStart where the database does not answer."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            say("Bringing the database up to date.")
            call_command("migrate", verbosity=0, interactive=False)
    except OperationalError as error:
        where = "DATABASE_URL" if not settings.EMBEDDED else str(settings.DATA)
        raise CannotStart(f"The database does not answer: {str(error).strip()}. Look at {where}.") from error
    except ImproperlyConfigured as error:
        raise CannotStart(str(error)) from error


def prepare_static(say: Say) -> None:
    """Collect the pages' style sheets and scripts where they have changed since they were last collected."""
    stamp = Path(settings.STATIC_ROOT).with_name("static-made-from")
    wanted = hashlib.sha256("\n".join(sorted(_static_files())).encode()).hexdigest()
    made_from = stamp.read_text(encoding="ascii") if stamp.is_file() else ""
    if made_from == wanted and Path(settings.STATIC_ROOT).is_dir():
        return
    say("Collecting style sheets and scripts.")
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(wanted, encoding="ascii")


def _static_files() -> Iterator[str]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = Path(storage.path(name)).stat()
            yield f"{name} {facts.st_size} {facts.st_mtime_ns}"
