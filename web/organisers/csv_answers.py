"""Tables of the desk as CSV files to keep."""

from collections.abc import Sequence

from django.http import StreamingHttpResponse

from targets import exports


def csv_answer(name: str, table: Sequence[Sequence[str]]) -> StreamingHttpResponse:
    """Answer with a table (its heading first) as a file `name`.csv, safe for spreadsheets."""
    lines = exports.write_csv(table[0], table[1:])
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer
