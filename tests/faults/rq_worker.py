"""RQ's usual worker, which forks a work-horse for each job: `python -m tests.faults.rq_worker TRICKS`."""

import json
import sys


def work(tricks_wanted: list[str]) -> None:
    """Take jobs until a signal comes."""
    import django  # noqa: PLC0415

    django.setup()
    import django_rq  # noqa: PLC0415
    from rq import Worker  # noqa: PLC0415
    from rq.serializers import JSONSerializer  # noqa: PLC0415

    from tests.faults import tricks  # noqa: PLC0415
    from worker import jobs  # noqa: PLC0415

    tricks.play(tricks_wanted)
    Worker([django_rq.get_queue(jobs.QUEUE)], serializer=JSONSerializer, log_job_description=False).work(
        logging_level="CRITICAL"
    )


if __name__ == "__main__":
    work(json.loads(sys.argv[1]))
