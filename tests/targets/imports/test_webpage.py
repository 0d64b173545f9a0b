"""Web pages: tables however they are written, lists that are no tables, and addresses that are traps."""

from targets.imports import Table, check_rows, guess_columns, read
from targets.imports.markup import plain_markup


def tables(page: str) -> list[Table]:
    return read(page.encode())


def people(table: Table) -> list[tuple[str, str, bool]]:
    rows = check_rows(table, [guess.field for guess in guess_columns(table)])
    return [(row.values["name"], row.values["email"], row.hidden) for row in rows]


def test_row_and_column_spans_are_filled_in() -> None:
    table = tables(
        "<table><tr><th>Name<th colspan=2>Office<th>E-mail</tr>"
        "<tr><td>Jane</td><td rowspan=2>Embassy</td><td>Oslo</td><td>j@x.example</td></tr>"
        "<tr><td>Bob</td><td>Bergen</td><td>b@x.example</td></tr></table>"
    )[0]
    assert table.header == ("Name", "Office", "Office", "E-mail")
    assert table.rows[1] == ("Bob", "Embassy", "Bergen", "b@x.example")


def test_tags_that_nobody_closed_make_the_same_table() -> None:
    table = tables(
        "<TABLE><tr><th>Name<th>Mail<tr><td>Jane<td>j@x.example<tr><td>Bob &amp; Co<td>b@x.example"
    )[0]
    assert table.header == ("Name", "Mail")
    assert table.rows == (("Jane", "j@x.example"), ("Bob & Co", "b@x.example"))


def test_the_table_with_people_comes_first_and_keeps_its_heading() -> None:
    found = tables(
        "<table><tr><td>Home</td><td>News</td></tr></table><h2>Committee</h2>"
        "<table><tr><th>Name</th><th>E-mail</th></tr><tr><td>Jane</td><td>j@x.example</td></tr></table>"
        "<table><caption>Fees</caption><tr><th>What</th><th>Euro</th></tr><tr><td>Tea</td><td>2</td></tr></table>"
    )
    assert {table.title for table in found[1:]} == {"", "Fees"}
    assert found[0].title == "Committee"
    assert found[0].rows == (("Jane", "j@x.example"),)
    assert len(found) == 3


def test_addresses_behind_links_are_read_into_the_table() -> None:
    in_column, apart = (
        tables(f"<table><tr><th>Name<th>{word}<tr><td>{name}<td>{link}</table>")[0]
        for word, name, link in (
            ("E-mail", "Jane", "<a href='mailto:j%40x.example?subject=Hi'>Write to me</a>"),
            ("Role", "<a href=mailto:b@x.example>Bob Roe</a>", "Chair"),
        )
    )
    assert people(in_column) == [("Jane", "j@x.example", False)]
    assert people(apart) == [("Bob Roe", "b@x.example", False)]


def test_the_layout_table_around_a_table_does_not_swallow_it() -> None:
    found = tables(
        "<table><tr><td>Menu<table><tr><th>Name<th>E-mail</tr><tr><td>Jane<td>j@x.example</tr></table></td></tr></table>"
    )
    assert people(found[0]) == [("Jane", "j@x.example", False)]


def test_line_breaks_in_a_cell_stay_line_breaks() -> None:
    table = tables("<table><tr><th>Name<th>Address<tr><td>Jane<td>1 High St<br>Leeds<p>UK</p></table>")[0]
    assert table.rows[0][1] == "1 High St\nLeeds\nUK"


def test_lists_cards_and_definitions_become_people() -> None:
    assert people(
        tables(
            "<p>Write to them.</p><ul><li>Jane Doe: <a href='mailto:jane@x.example'>e-mail</a></li>"
            "<li>Bob Roe, bob [at] x (dot) example</li></ul>"
            "<dl><dt>Cid Poe</dt><dd>cid@x.example</dd><dt>Dot Moe</dt><dd>MP<br>dot@x.example</dd></dl>"
            "<div><h3>Eve Loe</h3><p>Chair</p><p><a href=mailto:eve@x.example>eve@x.example</a></p>"
            "<p>Tel. 1</p></div>"
            "<div><h3>Fay Koe</h3><p>Member</p><p><a href=mailto:fay@x.example>Send mail</a></p></div>"
            "<p><a href=mailto:gus@x.example>Gus Noe</a></p>"
        )[0]
    ) == [
        ("Jane Doe", "jane@x.example", False),
        ("Bob Roe", "bob@x.example", False),
        ("Cid Poe", "cid@x.example", False),
        ("Dot Moe", "dot@x.example", False),
        ("Eve Loe", "eve@x.example", False),
        ("Fay Koe", "fay@x.example", False),
        ("Gus Noe", "gus@x.example", False),
    ]


def test_addresses_that_nobody_sees_are_marked() -> None:
    ways = ("hidden", "style='display: NONE'", "aria-hidden=true", "style='position:absolute;left:-9999px'")
    traps = "".join(f"<div {way}><b>x</b> trap{n}@x.example</div>" for n, way in enumerate(ways))
    found = people(tables(f"<p>Jane Doe jane@x.example</p>{traps}<p>Bob Roe bob@x.example</p>")[0])
    assert [email for _, email, hidden in found if hidden] == [f"trap{n}@x.example" for n in range(4)]
    assert [email for _, email, hidden in found if not hidden] == ["jane@x.example", "bob@x.example"]


def test_a_hidden_row_is_marked_and_hidden_filler_in_an_address_is_skipped() -> None:
    table = tables(
        "<table><tr><th>Name<th>E-mail</tr>"
        "<tr><td>Jane<td>j<span style='display:none'>null</span>@x.example</tr>"
        "<tr style='display:none'><td>Trap<td>t@x.example</tr><tr><td>Bob<td hidden>u@x.example</tr></table>"
    )[0]
    assert people(table) == [
        ("Jane", "j@x.example", False),
        ("Trap", "t@x.example", True),
        ("Bob", "u@x.example", True),
    ]


def test_ten_thousand_nested_boxes_do_not_overflow() -> None:
    page = "<div>" * 10_000 + "Jane Doe jane@x.example" + "</div>" * 10_000
    assert people(tables(page)[0]) == [("Jane Doe", "jane@x.example", False)]


def test_scripts_styles_and_comments_are_never_read() -> None:
    page = plain_markup(
        "<script>a<b@x.example</script><!-- c@x.example --><style>d@x.example</style><P ONCLICK=x>e</P>"
    )
    assert page == "<div><p>e</p></div>"


def test_entities_are_read_once_and_endless_ones_are_harmless() -> None:
    assert plain_markup("&lt;b&gt; &#64; &amp;lt;") == "<div>&lt;b&gt; @ &amp;lt;</div>"
    assert "\ufffd" in plain_markup("&#" + "9" * 5000 + ";")


def test_a_page_names_its_own_encoding() -> None:
    page = "<meta charset=windows-1251><table><tr><th>Имя<th>Почта<tr><td>Ян<td>i@x.example</table>".encode(
        "cp1251"
    )
    assert people(read(page)[0]) == [("Ян", "i@x.example", False)]
