"""`manage.py rehearse N`: the campaign end to end with simulated supporters; nothing leaves this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns.models import Campaign
from config import first_start
from config.rehearsal import stage
from config.rehearsal.forecast import forecast, spelled
from config.rehearsal.play import Plan, play
from config.supervisor import launch
from config.supervisor.running import Supervisor
from postbox.store import Store

INSIDE = "POSTBAG_REHEARSAL_STAGE"


class Command(BaseCommand):
    """Ends with 0 only if the ledger adds up and every delivery arrived, once, with the right content."""

    help = "Let N simulated supporters write, confirm, and see every letter delivered."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of DESIGN §5."""
        parser.add_argument("supporters", type=int, help="how many supporters write")
        parser.add_argument("--exit", action="store_true", help="end when everything is delivered")
        parser.add_argument("--own-words", type=float, default=0.3, metavar="SHARE",
                            help="how many add a sentence of their own, from 0 to 1 (0.3)")  # fmt: skip
        parser.add_argument("--smtp", default="", metavar="HOST:PORT",
                            help="another receiving mail server on this machine (loopback only)")  # fmt: skip
        parser.add_argument("--unpaced", action="store_true", help="ignore the offices' caps")
        parser.add_argument("--simulate", action="store_true", help="compute how long it would take; send nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Check what was asked; then simulate, or run on a stage of its own."""
        if not 1 <= options["supporters"] <= 1_000_000_000:
            raise CommandError("Give the number of supporters, from 1 on, such as: ./run --rehearse 200 --exit")
        if not 0 <= options["own_words"] <= 1:
            raise CommandError("--own-words is a share from 0 to 1, such as 0.3.")
        if options["smtp"]:
            try:
                stage.receiving_server(options["smtp"])
            except stage.NotThisMachine as refused:
                raise CommandError(refused.sentence) from refused
        if INSIDE in os.environ:
            try:
                sys.exit(self._perform(options))
            finally:  # also where whoever started us was killed
                shutil.rmtree(os.environ[INSIDE], ignore_errors=True)
        if options["simulate"]:
            with stage.a_directory() as directory:
                self._become(options, directory, database="", port=8000, mail_port=1)
        else:
            with stage.a_directory() as directory, stage.a_database(os.environ.get("DATABASE_URL", "")) as database:
                port = stage.a_port(int(os.environ.get("PORT", "8000")), only_free=options["exit"])
                self._become(
                    options, directory, database=database, port=port, mail_port=stage.a_port(0, only_free=True)
                )

    def _become(self, options: dict[str, Any], directory: Any, *, database: str, port: int, mail_port: int) -> None:
        """Run this command again on the stage: settings are read once, at the start of a process."""
        inside = stage.settings_for(
            directory, port=port, mail_port=mail_port, smtp=options["smtp"], paced=not options["unpaced"],
            outside=os.environ,
        )  # fmt: skip
        inside |= {INSIDE: str(directory), "DATABASE_URL": database}
        if not database:
            del inside["DATABASE_URL"]
        # In a session of its own, so that Ctrl-C is passed on once; wrapped, so that it ends where we are killed.
        child = subprocess.Popen(launch.wrapped([sys.executable, *sys.argv]), env=inside, start_new_session=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _frame: child.send_signal(received))
        code = child.wait()
        if code:
            raise SystemExit(code if code > 0 else 128 - code)

    def _perform(self, options: dict[str, Any]) -> int:
        call_command("migrate", verbosity=0)
        if options["simulate"]:
            first_start.prepare(lambda _line: None)
            return self._simulate(options)
        self._say("Rehearsal: its own database, its own broker, its own mail server. Nothing leaves this machine.")
        call_command("collectstatic", interactive=False, verbosity=0)
        sign_in = first_start.prepare(lambda line: self._say(f"  {line}"))
        if sign_in and not options["exit"]:
            self._say(f"Sign in at {settings.BASE_URL}/organise/ as {sign_in.email} with {sign_in.password}")
        plan = Plan(
            options["supporters"], options["own_words"], settings.PORT, bool(options["smtp"]), stay=not options["exit"]
        )
        programs = stage.cast(
            dict(os.environ), settings.DATA, port=settings.PORT, mail_port=settings.POSTBOX_PORT,
            workers=settings.WORKERS,
        )  # fmt: skip
        supervisor = Supervisor(programs)
        with supervisor.obeying_signals(), supervisor:
            return play(plan, supervisor, Store(settings.POSTBOX_STORE), self._say)

    def _simulate(self, options: dict[str, Any]) -> int:
        now = timezone.now()
        campaign = Campaign.objects.get()
        closing: dict[str, Any] = {"supporters": options["supporters"], "deliveries": 0, "paces": {}}
        for title, usual in (("as the addresses are set", False), ("at the usual 60 letters an hour", True)):
            if options["unpaced"] and usual:
                continue
            found = forecast(campaign, supporters=options["supporters"], now=now, usual_pace=usual)
            closing["deliveries"] = sum(ask.deliveries for ask in found)
            self._say(f"{options['supporters']:,} supporters, {title}:")
            for ask in found:
                span = ask.last_leaves_at - now
                self._say(f"  {ask.ask}: {ask.deliveries:,} deliveries to {ask.targets} targets, "
                          f"the last leaves {spelled(span)}")  # fmt: skip
            last = max(ask.last_leaves_at for ask in found) - now
            closing["paces"]["usual" if usual else "as_set"] = round(last.total_seconds())
        print(json.dumps(closing), flush=True)
        return 0

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
