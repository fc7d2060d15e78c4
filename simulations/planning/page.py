"""Pieces of an HTML page. What is put in is text and comes out escaped, but where it is `Html` already."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NewType

Html = NewType("Html", str)

_NOTHING_FROM_OUTSIDE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def text(words: object) -> Html:
    return Html(escape(str(words)))


def joined(parts: Iterable[Html]) -> Html:
    return Html("\n".join(parts))


def paragraph(words: str, kind: str = "") -> Html:
    return Html(f'<p class="{kind}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>")


def items(lines: Iterable[str]) -> Html:
    """Nothing where there is none."""
    listed = "".join(f"<li>{text(line)}</li>" for line in lines)
    return Html(f"<ul>{listed}</ul>" if listed else "")


def code(words: str) -> Html:
    return Html(f"<pre><code>{text(words)}</code></pre>")


def number(value: float, shown: str) -> Html:
    """A figure as people read it, with the exact one for programs."""
    return Html(f'<data value="{value!r}">{text(shown)}</data>')


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Html]]) -> Html:
    """The first cell of a row names it."""
    heads = "".join(f'<th scope="col">{text(one)}</th>' for one in head)
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{one}</td>" for one in others)}</tr>'
        for first, *others in rows
    )
    return Html(
        f'<div class="wide"><table><caption>{text(caption)}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def figure(drawing: Html, caption: str, alt: str) -> Html:
    """``alt``: for who does not see it."""
    return Html(
        f'<figure><div role="img" aria-label="{text(alt)}">{drawing}</div>'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def section(title: str, *parts: Html) -> Html:
    return Html(f"<section><h2>{text(title)}</h2>\n{joined(parts)}</section>")


def page(title: str, *parts: Html) -> str:
    style = Path(__file__).with_name("report.css").read_text("utf-8")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_FROM_OUTSIDE}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{text(title)}</title>'
        f"<style>\n{style}</style></head>\n<body><main><h1>{text(title)}</h1>\n{joined(parts)}\n</main></body></html>\n"
    )
