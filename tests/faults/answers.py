"""What mail servers say, or do not say: F3, F12, F14, F16, F17."""

from collections import Counter
from collections.abc import Callable, Mapping

from tests.faults.conduct import GARBAGE, Conduct, Rule, each_domain
from tests.faults.machines import memory_of
from tests.faults.oracle import grouped
from tests.faults.population import GATE, Population, domain
from tests.faults.rig import ON_SQLITE, PROCESSES, Figures, Rig
from tests.faults.workers import wait_until

WINDOW = 4096  # bytes on their way at once: 1 % of 5 MB must not fit
QUICKLY = {"MAIL_PATIENCE_PERCENT": "1"}  # six seconds for the answer to a dot
SOME = {"gate": GATE, "nightly": Population(letters=400, targets=25)}


def after_the_dot(seed: int, size: str) -> Figures:
    """F3: 250 and a reset is sent once; everything else counts as unclear, exactly once; nothing fails."""
    broken = (
        Rule("dot", "drop", share=0.015), Rule("dot", "drop", share=0.015, takes=False),
        Rule("dot", "garbage", "no code", share=0.01), Rule("dot", "garbage", "long line", share=0.01),
        Rule("dot", "silence", share=0.005), Rule("dot", "silence", share=0.005, takes=False),
        Rule("dot", then="reset", share=0.02),
    )  # fmt: skip
    with Rig("postgresql", SOME[size], Conduct(seed, broken), seed=seed, settings=QUICKLY) as rig:
        rig.workers.start(PROCESSES)
        rig.drain(seconds=300, hurries=size == "gate")
        rig.workers.end()
        evidence = rig.judge()
        unclear = Counter(entry.delivery for entry in evidence.oracle.of("accepted", "dropped") if entry.is_unclear)
        assert unclear, "nothing was unclear: this tested nothing"
        assert {pk: line.ambiguous for pk, line in evidence.ledger.lines.items() if line.ambiguous} == unclear
        for pk, line in evidence.ledger.lines.items():
            assert line.state == ("uncertain" if unclear[pk] == 2 else "sent"), line
        assert max(evidence.oracle.copies().values()) <= 2
        return rig.figures(evidence, unclear=unclear.total())


def greylisted(seed: int, size: str) -> Figures:
    """F12: "try again later", the first time, by three targets in ten: all sent once, after three tries at most."""
    population = GATE if size == "gate" else Population(letters=100, targets=20)
    strict = tuple(domain(number) for number in range(0, population.targets, 3))
    later = Rule("rcpt", says="451 4.7.1 greylisted, please come back", times=1, domains=strict)
    with Rig("postgresql", population, Conduct(seed, (later,)), seed=seed) as rig:
        rig.workers.start(PROCESSES)
        rig.drain(seconds=120)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        tries = Counter(line.attempts for line in evidence.ledger.lines.values())
        assert max(tries) <= 3, tries
        assert sum(count for n, count in tries.items() if n > 1) >= population.letters * len(strict)
        assert evidence.ledger.ambiguous() == evidence.oracle.extra() == 0
        return rig.figures(evidence, tries=dict(tries))


def refused(seed: int, size: str) -> Figures:
    """F14: 5xx at MAIL, RCPT, DATA or after the dot: failed, with the server's words, and never tried again."""
    # Among so many others that neither the campaign pauses nor a domain rests by itself: one in sixteen is refused.
    population = Population(letters=10 if size == "gate" else 500, targets=40)
    said_at = {"mail": "550 5.7.1 not from you", "rcpt": "550 5.7.1 not to her", "data": "554 5.6.0 not this",
               "dot": "554 5.6.0 not such words"}  # fmt: skip
    rules = (
        Rule("rcpt", says="550 5.1.1 no such mailbox", domains=(domain(3),)),
        *(Rule(point, says=words, share=1 / 80) for point, words in said_at.items()),
    )
    with Rig("sqlite", population, Conduct(seed, rules), seed=seed) as rig:
        rig.workers.start(ON_SQLITE)
        wait_until(lambda: _only_the_dead_wait(rig), seconds=240, every=0.2, what="the end of all that can be sent")
        rig.workers.end()
        evidence = rig.judge()
        said = grouped(evidence.oracle.of("refused"))
        words = {move.delivery: (move.code, move.words) for move in evidence.ledger.moves if move.to_state == "failed"}
        for pk, line in evidence.ledger.lines.items():
            if pk in said:
                assert (line.state, line.reason, line.attempts) == ("failed", "refused", 1), line
                assert len(said[pk]) == 1, "it was tried again"
                code, text = words[pk]
                assert said[pk][0].detail.replace("_", " ").startswith(f"{code} {text}"), (said[pk], text)
            elif not line.address.endswith(f"@{domain(3)}"):
                assert line.state == "sent", line
        places = [entries[0].detail.rpartition("_at_") for entries in said.values()]
        by_point = Counter(point if at else "DOT" for _, at, point in places)
        assert len(by_point) == len(said_at), f"some refusal was never said: {by_point}"
        dead = rig.database.rows(f"SELECT status FROM targets_address WHERE value = 'office@{domain(3)}'")
        assert dead == [("dead",)], "two refusals of the mailbox itself: its address is dead"
        return rig.figures(evidence, refused=dict(by_point))


def _only_the_dead_wait(rig: Rig) -> bool:
    query = (
        "SELECT count(*) FROM letters_delivery d JOIN targets_address a ON a.id = d.address_id "
        "WHERE d.state IN ('queued', 'sending') AND NOT (a.status = 'dead' AND d.state = 'queued')"
    )
    return rig.database.rows(query) == [(0,)]


def inside_the_data(seed: int, size: str) -> Figures:
    """F16: the line breaks after 1, 50 and 99 % of 5 MB: nothing was sent, A stays, the next try is clean."""
    population = Population(letters=2 if size == "gate" else 50, targets=3)
    rules = each_domain(
        {domain(n): [Rule("text", "drop", part=part, times=1)] for n, part in enumerate((0.01, 0.5, 0.99))}
    )
    with Rig("sqlite", population, Conduct(seed, rules, window=WINDOW), seed=seed) as rig:
        rig.workers.start(2, tricks=("pad:5000000", f"little at once:{WINDOW}"))
        rig.drain(seconds=240, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        assert {line.attempts for line in evidence.ledger.lines.values()} == {2}
        assert evidence.ledger.ambiguous() == evidence.oracle.extra() == 0
        assert {move.reason for move in evidence.ledger.moves if move.to_state == "queued"} == {"not_sent"}
        return rig.figures(evidence)


# ── F17 ──────────────────────────────────────────────────────────────────────────────────────────────────

MOST_MEMORY = 20 * 1024 * 1024
NONSENSE: Mapping[str, tuple[Rule, str]] = {  # the rule, and how an attempt ends that meets it
    **{
        f"{name} for the dot": (Rule("dot", "garbage", name, times=1), "accepted" if garbage.is_clear else "ambiguous")
        for name, garbage in GARBAGE.items() if name != "half a line"
    },
    # Each takes the server's whole time, so there are few of them.
    "half a line for the dot": (Rule("dot", "garbage", "half a line", times=1, share=0.2), "ambiguous"),
    "byte by byte": (Rule("dot", "drip", times=1, after=0.01), "accepted"),
    "354 twice": (Rule("data", says="354 go on\r\n354 go on", times=1), "not_sent"),
    "250 for DATA": (Rule("data", says="250 fine", times=1), "not_sent"),
    "NULs for RCPT": (Rule("rcpt", "garbage", "nuls", times=1), "not_sent"),
    "endless for RCPT": (Rule("rcpt", "garbage", "endless", times=1), "not_sent"),
}  # fmt: skip


def garbled(seed: int, size: str) -> Figures:
    """F17: no crash, no memory lost, and the ending that each kind of nonsense deserves."""
    rules = each_domain({domain(number): [rule] for number, (rule, _) in enumerate(NONSENSE.values())})
    if size == "nightly":
        rules += (Rule("banner", "garbage", "another protocol", share=0.05),)
        rules += (Rule("ehlo", "garbage", "nuls", share=0.05),)
    with Rig("sqlite", GATE, seed=seed, settings=QUICKLY) as rig:
        pids = rig.workers.start(PROCESSES)
        warm, last = GATE.letters // 5, GATE.letters // 5 + (3 if size == "gate" else 20)
        rig.park(f"letter_id > {warm}")
        wait_until(lambda: len(rig.oracle.copies()) == warm * GATE.targets, seconds=30, what="the first letters")
        before = {pid: memory_of(pid) for pid in pids}
        rig.mail.obey(Conduct(seed, rules))
        wait_until(
            lambda: rig.due(f"letter_id <= {last}") == 0 == rig.count(f"letter_id <= {last} AND state <> 'sent'"),
            seconds=180, every=0.2, what="the end of the letters that meet nonsense",
        )  # fmt: skip
        rig.mail.obey(Conduct(seed))
        rig.drain(seconds=60, hurries=True)
        grown = max(memory_of(pid) - size for pid, size in before.items())
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        unclear = Counter(entry.delivery for entry in evidence.oracle.of("accepted", "dropped") if entry.is_unclear)
        expected = {domain(number): how for number, (_, how) in enumerate(NONSENSE.values())}
        met: Counter[str] = Counter()
        for pk, line in evidence.ledger.lines.items():
            where = line.address.partition("@")[2]
            how = expected.get(where, "accepted")
            assert line.ambiguous == unclear[pk] == int(how == "ambiguous" and unclear[pk] > 0), line
            # One whose envelope went with somebody else's broken dot is not sent either, and meets its own next time.
            met[where] += how == "accepted" or (unclear[pk] if how == "ambiguous" else line.attempts > 1)
        assert all(met[where] for where in expected), f"some nonsense was never said: {met}"
        assert grown <= MOST_MEMORY, f"a worker grew by {grown} bytes"
        return rig.figures(evidence, grown_MB=round(grown / 2**20, 1))


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F3": after_the_dot,
    "F12": greylisted,
    "F14": refused,
    "F16": inside_the_data,
    "F17": garbled,
}
SIZES = {"F12": ("nightly",)}
