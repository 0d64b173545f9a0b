"""Reading what the desk answers with."""

import csv
import io
from typing import Any

from django.http import StreamingHttpResponse


def csv_rows(answer: Any) -> list[list[str]]:
    """Return the rows of a CSV file that was answered with."""
    assert isinstance(answer, StreamingHttpResponse)
    return list(csv.reader(io.StringIO(answer.getvalue().decode(), newline="")))
