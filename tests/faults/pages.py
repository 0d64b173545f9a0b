"""The pages of an installation, and supporters who confirm their letters there, whatever happens meanwhile."""

import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from config.supervisor.ports import free_port
from config.supervisor.programs import web_program
from tests.faults import machines
from tests.worker.processes import manage

HOST = "127.0.0.1"
_SHOWN = re.compile(r'name="(shown-(\d+))" value="(\w+)"')
_LONGEST_ANSWER = 60.0  # seconds
_AGAIN_AFTER = 0.3
NO_ANSWER = 0


@dataclass(frozen=True)
class Answer:
    """What a page said; status 0: nothing."""

    status: int
    text: str = ""
    location: str = ""
    retry_after: str = ""


class Pages:
    """The web processes, as an installation runs them; ended by `with`."""

    def __init__(self, place: Path, env: Mapping[str, str]) -> None:
        self.port = free_port()
        self.log = place / "web.log"
        self._env = {**env, "HOST": HOST, "PORT": str(self.port), "BASE_URL": f"http://{HOST}:{self.port}"}
        self._at_the_end = ExitStack()

    def __enter__(self) -> "Pages":
        collected = manage("collectstatic", "--noinput", env=self._env)  # as an installation does before it opens
        assert collected.returncode == 0, collected.stderr
        program = web_program(HOST, self.port, self._env)
        self._process = machines.started(program.command, log=self.log, env=self._env)
        self._at_the_end.callback(machines.ended, self._process)
        machines.wait_until_it_takes(self.port, self._process, self.log)
        return self

    def __exit__(self, *_facts: object) -> None:
        self._at_the_end.close()

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._ask("GET", path)

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Press a button."""
        return self._ask("POST", path, urlencode(fields))

    def _ask(self, method: str, path: str, body: str = "") -> Answer:
        line = http.client.HTTPConnection(HOST, self.port, timeout=_LONGEST_ANSWER)
        headers = {"Origin": f"http://{HOST}:{self.port}"}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            line.request(method, path, body or None, headers)
            said = line.getresponse()
            text = said.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return Answer(NO_ANSWER)
        finally:
            line.close()
        return Answer(said.status, text, said.getheader("Location", ""), said.getheader("Retry-After", ""))


@dataclass
class Supporters:
    """People who confirm their letters, a few at once, and press the button again until the page says it is done."""

    pages: Pages
    targets: int
    statuses: Counter[int] = field(default_factory=Counter)
    confirmed: dict[int, int] = field(default_factory=dict)  # letters that a page called confirmed: their deliveries
    said_at: dict[int, float] = field(default_factory=dict)  # time.time()
    unknown: int = 0  # confirmed by a post whose answer was lost
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def confirm_all(self, links: Sequence[str], *, at_once: int = 4, pause: float = 0.0) -> None:
        """Confirm the letters of these links; returns when a page has said of each that it is done."""
        with ThreadPoolExecutor(at_once) as people:
            for _ in people.map(lambda link: self._confirm(link, pause), links):
                pass

    def _confirm(self, link: str, pause: float) -> None:
        letter = 0
        while not self.over.is_set():
            page = self._counted(self.pages.get(link))
            if page.status == 200 and letter and not _SHOWN.search(page.text):
                with self._lock:  # the answer to our post was lost, and the page says that it had its effect
                    self.confirmed[letter] = self.targets
                    self.said_at[letter] = time.time()
                    self.unknown += 1
                return
            found = _SHOWN.search(page.text)
            if page.status == 200 and found:
                name, letter, digest = found[1], int(found[2]), found[3]
                answer = self._counted(self.pages.post(link, {name: digest}))
                if answer.status == 303 and "/sent/" in answer.location:
                    with self._lock:
                        self.confirmed[letter] = self.targets
                        self.said_at[letter] = time.time()
                    time.sleep(pause)
                    return
            time.sleep(_AGAIN_AFTER)

    def _counted(self, answer: Answer) -> Answer:
        with self._lock:
            self.statuses[answer.status] += 1
        return answer

    def judge(self) -> None:
        """Check that no page ever failed in an unseemly way: 503 with the time to come back, never 500."""
        assert set(self.statuses) <= {200, 303, 503}, self.statuses
