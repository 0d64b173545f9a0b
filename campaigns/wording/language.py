"""Reads a wording: Jinja2's parser for the grammar, an allow-list over what it found."""

import itertools
from collections.abc import Collection
from typing import NoReturn

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from campaigns.wording.passage import Wording
from campaigns.wording.refusals import quoted, refused
from campaigns.wording.scanning import VALUE_CURE, check_size, read_lines, scan
from campaigns.wording.tree import (
    Block,
    Both,
    Choice,
    Condition,
    Either,
    Equals,
    Filter,
    Given,
    Node,
    Not,
    Text,
    Value,
    Variant,
)
from campaigns.wording.vocabulary import VOCABULARY, WITHHELD, nearest, offered

FILTERS = ("default", "upper", "lower", "title", "capitalize", "trim")

_CONDITION_CURE = "Write a condition: `{% if target.title %}` or `{% if target.country == 'France' %}`."
_CHOICE_CURE = "Use `{% if %}…{% else %}…{% endif %}`."


class _VariantTag(Extension):
    """`{% variant %}…{% or %}…{% endvariant %}` as a Scope of one Scope per wording.

    Jinja2 lets nobody add kinds of nodes; nothing else in the letter language makes a Scope.
    """

    tags = {"variant"}

    def parse(self, parser: Parser) -> nodes.Node:
        """Reads from `variant` to `endvariant`."""
        start = next(parser.stream).lineno
        branches: list[nodes.Node] = []
        while True:
            body = parser.parse_statements(("name:or", "name:endvariant"))
            branches.append(nodes.Scope(body, lineno=start))
            if next(parser.stream).value == "endvariant":
                return nodes.Scope(branches, lineno=start)


class _LetterEnvironment(Environment):
    """Hands the parser our own tokens, whose line numbers are character offsets: exact places."""

    def _tokenize(
        self,
        source: str,
        name: str | None,
        filename: str | None = None,
        state: str | None = None,  # noqa: ARG002
    ) -> TokenStream:
        return TokenStream(scan(source), name, filename)


_ENVIRONMENT = _LetterEnvironment(extensions=[_VariantTag], autoescape=False)


def parse(text: str, *, passage: str = "body", allowed: Collection[str] = tuple(VOCABULARY)) -> Wording:
    """The wording of one passage, checked and ready to render.

    `allowed` names the groups of values that may stand in it. Raises WordingError, and nothing else, for
    whatever is not in the letter language, with the place, the reason and the cure.
    """
    check_size(text)
    source = read_lines(text)
    try:
        template = Parser(_ENVIRONMENT, source).parse()
        block = _Reader(source, allowed).block(template.body)
    except TemplateSyntaxError as error:
        raise _misread(source, error.lineno) from None
    except RecursionError:
        # The limits of `scan` keep well below it, unless whoever called us is deep already.
        raise refused(source, 0, "too_deep", "The wording is nested too deep.", "Make it simpler.") from None
    return Wording(passage, source, block)


def _misread(source: str, offset: int) -> Exception:
    """The parser did not expect what stands at `offset`."""
    rest = source[offset : offset + 40]
    found = rest[:2] if rest.startswith(("}}", "%}")) else rest.split(maxsplit=1)[0] if rest.split() else rest
    begin = max(source.rfind("{{", 0, offset), source.rfind("{%", 0, offset))
    if rest.startswith(("}}", "%}")) and begin >= 0 and not source[begin + 2 : offset].strip():
        return refused(source, begin, "syntax", "This tag is empty.", VALUE_CURE)
    cure = "Remove it."
    if source.startswith("{{", begin):
        cure = VALUE_CURE
    elif source[begin + 2 : offset].split()[:1] in (["if"], ["elif"]):
        cure = _CONDITION_CURE
    return refused(source, offset, "syntax", f"{quoted(found)} is not expected here.", cure)


class _Reader:
    """Turns Jinja2's tree into ours. A node that no method names is refused."""

    def __init__(self, source: str, allowed: Collection[str]) -> None:
        self.source = source
        self.allowed = allowed
        self.ordinals = itertools.count()

    def block(self, body: list[nodes.Node]) -> Block:
        """A run of text, values and blocks."""
        result: list[Node] = []
        for node in body:
            match node:
                case nodes.Output():
                    result += [self.output(inner) for inner in node.nodes]
                case nodes.If():
                    result.append(self.choice(node))
                case nodes.Scope():
                    result.append(self.variant(node))
                case _:
                    self.outside(node, f"`{type(node).__name__.lower()}`")
        return tuple(result)

    def output(self, node: nodes.Expr) -> Text | Value:
        """Text, or what stands in `{{ }}`."""
        if isinstance(node, nodes.TemplateData):
            return Text(node.data, node.lineno)
        return self.value(node)

    def choice(self, node: nodes.If) -> Choice:
        """`{% if %}` with its `elif` and `else`."""
        branches = [(self.condition(one.test), self.block(one.body)) for one in (node, *node.elif_)]
        return Choice(tuple(branches), self.block(node.else_))

    def variant(self, node: nodes.Scope) -> Variant:
        """`{% variant %}` with its wordings."""
        ordinal = next(self.ordinals)
        branches = [self.block(one.body) for one in node.body if isinstance(one, nodes.Scope)]
        return Variant(ordinal, tuple(branches), node.lineno)

    def condition(self, node: nodes.Node) -> Condition:
        """What stands after `if` or `elif`."""
        match node:
            case nodes.And():
                return Both(self.condition(node.left), self.condition(node.right))
            case nodes.Or():
                return Either(self.condition(node.left), self.condition(node.right))
            case nodes.Not():
                return Not(self.condition(node.node))
            case nodes.Compare():
                return self.comparison(node)
            case _:
                return Given(self.value(node))

    def comparison(self, node: nodes.Compare) -> Condition:
        """A value and a text in quotes, either first, with `==` or `!=` between them."""
        sides = [node.expr, *(one.expr for one in node.ops)]
        texts = [one.value for one in sides if isinstance(one, nodes.Const) and isinstance(one.value, str)]
        if len(sides) != 2 or len(texts) != 1 or node.ops[0].op not in ("eq", "ne"):
            self.outside(node.expr, "This comparison", _CONDITION_CURE)
        value = self.value(sides[1] if isinstance(sides[0], nodes.Const) else sides[0])
        equals = Equals(value, texts[0])
        return equals if node.ops[0].op == "eq" else Not(equals)

    def value(self, node: nodes.Node) -> Value:
        """A dotted name of two parts, with filters."""
        filters: list[Filter] = []
        while isinstance(node, nodes.Filter) and node.node is not None:
            filters.append(self.filter(node))
            node = node.node
        if not (isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name)):
            self.no_value(node)
        group = node.node
        self.check_name(group, f"{group.name}.{node.attr}")
        return Value(group.name, node.attr, tuple(reversed(filters)), group.lineno)

    def no_value(self, node: nodes.Node) -> NoReturn:
        """Refuses what stands where a value belongs, and says what would do instead."""
        match node:
            case nodes.Getattr():
                self.outside(node, f"{quoted('.' + node.attr)} after this", VALUE_CURE)
            case nodes.Name():
                self.check_name(node, node.name)
            case nodes.Call():
                self.outside(node, "A call", "Remove the parentheses and what stands in them.")
            case nodes.Const(value=str()):
                self.outside(node, "A text in quotes on its own", "Write the text outside the tag.")
            case nodes.CondExpr():
                self.outside(node, "`if` inside a value", _CHOICE_CURE)
            case nodes.Test():
                self.outside(node, "`is`", _CONDITION_CURE)
            case nodes.Compare():
                self.outside(node.expr, "A comparison inside a value", _CHOICE_CURE)
            case nodes.And() | nodes.Or() | nodes.Not():
                self.outside(node, "A condition inside a value", _CHOICE_CURE)
            case nodes.Const():
                self.outside(node, f"`{str(node.value).lower()}`")
        self.outside(node, "This")

    def filter(self, node: nodes.Filter) -> Filter:
        """One allowed filter. Only `default` takes something: one text in quotes."""
        if node.name not in FILTERS:
            self.outside(node, f"The filter {quoted(node.name)}", f"Use one of {', '.join(FILTERS)}.")
        named = bool(node.kwargs or node.dyn_args or node.dyn_kwargs)
        match node.args:
            case [] if node.name != "default" and not named:
                return Filter(node.name)
            case [nodes.Const(value=str() as text)] if node.name == "default" and not named:
                return Filter(node.name, text)
        if node.name == "default":
            cure = "Write one text in quotes: `default('Friend')`."
            raise refused(self.source, node.lineno, "syntax", "`default` takes one text in quotes.", cure)
        cure = f"Write `|{node.name}` alone."
        raise refused(
            self.source, node.lineno, "syntax", f"`{node.name}` takes nothing in parentheses.", cure
        )

    def check_name(self, node: nodes.Name, name: str) -> None:
        """Refuses a name that is not offered, with the nearest that is."""
        group, _, key = name.partition(".")
        if key in VOCABULARY.get(group, ()):
            if group in self.allowed:
                return
            cure = f"Use one of: {', '.join(offered(self.allowed))}."
            raise refused(
                self.source, node.lineno, "not_offered_here", f"{quoted(name)} is not offered here.", cure
            )
        if key in WITHHELD:
            cure = "No wording passes on how to reach a supporter. Remove it."
            raise refused(self.source, node.lineno, "not_offered", f"{quoted(name)} is not offered.", cure)
        suggestion = nearest(name, self.allowed)
        if suggestion:
            cure = f"Did you mean `{suggestion}`?"
        else:
            near = {group} & set(self.allowed) or self.allowed
            cure = f"Offered are: {', '.join(offered(near))}."
        why = f"{quoted(name)} does not exist."
        raise refused(self.source, node.lineno, "unknown_value", why, cure, suggestion=suggestion)

    def outside(self, node: nodes.Node, what: str, cure: str = VALUE_CURE) -> NoReturn:
        """Refuses a node that is not in the letter language."""
        why = f"{what} is not in the letter language."
        raise refused(self.source, node.lineno, "outside_language", why, cure)
