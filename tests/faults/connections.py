"""What mail servers do to connections: F13 (421), F15 (tarpits), F18 (TLS)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

from tests.faults.conduct import Conduct, Rule
from tests.faults.oracle import Entry
from tests.faults.population import GATE, Population, domain
from tests.faults.rig import LEASE, LINES, PROCESSES, Figures, Rig
from tests.faults.workers import wait_until
from tests.worker import certificates

ONCE_A_SECOND = 0.95  # a little less: the times are the server's


def told_to_leave(seed: int, size: str) -> Figures:
    """F13: 421 at the banner, then after ten letters on each connection: back-off, at most one connect a second."""
    letters = 13 if size == "gate" else 25
    with Rig("postgresql", Population(letters=letters, targets=20), seed=seed) as rig:
        busy = Conduct(seed, (Rule("banner", says="421 4.3.2 busy", then="drop"),))
        rig.mail.obey(busy)
        rig.workers.start()
        time.sleep(8)
        turned_away = [entry.at for entry in rig.oracle.of("connected")]
        gaps = _gaps(turned_away[LINES:])  # the first lines are opened at once, before anybody has said no
        assert len(turned_away) > LINES, "it gave up"
        assert min(gaps, default=1.0) >= ONCE_A_SECOND, f"{len(turned_away)} connects in 8 s: no back-off"
        assert rig.oracle.copies().total() == 0
        rig.mail.obey(Conduct(seed, rests_after=10))
        began_at = time.time()
        rig.drain(seconds=180)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        assert evidence.ledger.ambiguous() == evidence.oracle.extra() == 0
        rested = [e.at for e in evidence.oracle.of("refused") if e.detail.startswith("421")]
        later = [e.at for e in evidence.oracle.of("connected") if e.at > max(rested[0], began_at) + 0.2]
        gaps = _gaps(later)
        assert len(gaps) > 5, "nobody was told to leave: this tested nothing"
        assert min(gaps) >= ONCE_A_SECOND, f"more than a connect a second: {sorted(gaps)[:5]}"
        return rig.figures(evidence, connects=len(turned_away) + len(later), sooner_s=round(min(gaps), 2))


def _gaps(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


# ── F15 ──────────────────────────────────────────────────────────────────────────────────────────────────

PHASES: Mapping[str, tuple[Rule, float]] = {  # what one domain's server does, and the seconds RFC 5321 gives it
    "one byte at a time for RCPT": (Rule("rcpt", "drip", after=0.5), 60.0),
    "silence for RCPT": (Rule("rcpt", "silence"), 60.0),
    "silence for DATA": (Rule("data", "silence"), 120.0),
    "silence for the dot": (Rule("dot", "silence", takes=False), 600.0),
}
PATIENCE_PERCENT = 1
LATE = 1.5  # seconds: times are looked at five times a second, and this machine is busy
LATENCY = 0.02
MOST_LOST = 0.10  # of the other domains' rate


def tarpitted(seed: int, size: str) -> Figures:
    """F15: a line that is held up is freed by its phase's time-out; the other domains keep 90 % of their rate."""
    rates: dict[str, float] = {}
    for name in ("", *PHASES):
        rates[name or "none"] = _rate_beside(name, seed)
    lost = {name: round(1 - rate / rates["none"], 2) for name, rate in rates.items()}
    assert max(lost.values()) <= MOST_LOST, f"other domains lose {lost} of {rates['none']:.0f}/s"
    return {"seed": seed, "rate": round(rates["none"]), "lost": lost}


def _rate_beside(name: str, seed: int) -> float:
    """Return letters a second to the other domains while one domain holds its lines up."""
    stuck = domain(0)
    rules: tuple[Rule, ...] = (Rule("dot", after=LATENCY),)
    if name:
        rules = (replace(PHASES[name][0], domains=(stuck,)), *rules)
    # As one of two workers has them that are set up as they come: what is held up is one line of sixteen.
    settings = {
        "CONNECTIONS": "16", "CONNECTIONS_PER_DOMAIN": "2", "WORKERS": "2",
        "MAIL_PATIENCE_PERCENT": str(PATIENCE_PERCENT),
    }  # fmt: skip
    population = Population(letters=100, targets=20)
    with Rig("postgresql", population, Conduct(seed, rules), seed=seed, settings=settings) as rig:
        rig.watch.stop()
        if not name:
            rig.park(_to(stuck))
        rig.workers.start(1)
        others = f"state <> 'sent' AND NOT {_to(stuck)}"
        wait_until(lambda: rig.count(others) == 0, seconds=120, every=0.1, what="the end of the others")
        times = [e.at for e in rig.oracle.of("accepted") if not e.to.endswith(f"@{stuck}")]
        if name:
            _freed_in_time(rig, PHASES[name][1] * PATIENCE_PERCENT / 100)
        rig.mail.obey(Conduct(seed))
        rig.database.execute("DELETE FROM letters_troubleddomain")  # which rests by now, for longer than we can wait
        rig.drain(seconds=60, hurries=True)
        rig.workers.end()
        rig.judge()
    return len(times) / (max(times) - min(times))


def _to(where: str) -> str:
    return f"address_id IN (SELECT id FROM targets_address WHERE value = 'office@{where}')"


def _freed_in_time(rig: Rig, seconds: float) -> None:
    wait_until(lambda: _held_up(rig), seconds=seconds + 10, what="the end of a line that was held up")
    for began, closed in _held_up(rig):
        # The letter may have waited for the answer to the dot before it.
        assert closed.at - began.at <= seconds + LATE + LATENCY, f"a line was held up for {closed.at - began.at:.1f} s"


def _held_up(rig: Rig) -> list[tuple[Entry, Entry]]:
    last: dict[int, Entry] = {}
    found = []
    for entry in rig.oracle.of("began", "closed"):
        if entry.verb == "began":
            last[entry.connection] = entry
        elif entry.connection in last and last[entry.connection].to.endswith(f"@{domain(0)}"):
            found.append((last[entry.connection], entry))
    return found


# ── F18 ──────────────────────────────────────────────────────────────────────────────────────────────────

CONNECTS = {"gate": 1, "nightly": 20}


def unsafe(seed: int, size: str) -> Figures:
    """F18: where TLS is required nothing is said in the clear, and a line whose handshake failed is not used."""
    with Rig("sqlite", GATE, seed=seed, mail_url="smtp+starttls://localhost:{port}",
             settings={"MAIL_PATIENCE_PERCENT": "3"}) as rig:  # fmt: skip
        good, bad = certificates.make(rig.place), certificates.make(rig.place, name="elsewhere.example")
        bad_ways = {
            "stripped": Conduct(seed, tls="stripped"),
            "bad certificate": Conduct(seed, tls="offered", certificate=str(bad)),
            "broken handshake": Conduct(seed, tls="broken"),
        }
        closed = 0
        for name, conduct in bad_ways.items():
            rig.mail.obey(conduct)
            for _ in range(CONNECTS[size]):
                (pid,) = rig.workers.start()
                closed += 1
                wait_until(lambda least=closed: _closed(rig) >= least, seconds=30, what=name)  # type: ignore[misc]
                rig.workers.end([pid])
                closed = _closed(rig)
            assert not list(rig.oracle.of("began")), f"{name}: a letter went in the clear"
        rig.mail.obey(Conduct(seed, tls="offered", certificate=str(good)))
        rig.workers.start(PROCESSES)
        rig.drain(seconds=60 + LEASE, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        secured = {entry.connection for entry in evidence.oracle.of("secured")}
        assert {entry.connection for entry in evidence.oracle.of("began")} <= secured
        assert evidence.ledger.ambiguous() == evidence.oracle.extra() == 0
        return rig.figures(evidence, refused_lines=closed)


def _closed(rig: Rig) -> int:
    return sum(1 for _ in rig.oracle.of("closed"))


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F13": told_to_leave,
    "F15": tarpitted,
    "F18": unsafe,
}
SIZES = {"F13": ("nightly",), "F15": ("nightly",)}
