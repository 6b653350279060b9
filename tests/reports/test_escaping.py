"""Text of others in a page: shown as what it is, obeyed in nothing."""

import html

import pytest

from estimator_ckpt.reports import escaping


@pytest.mark.parametrize(
    "text",
    ["dense/kernel", "layer_0/attention", "a.b:0", "model.ckpt-300", "<b>", "*", "\\"],
)
def test_harmless_names_are_code_as_they_are(text):
    assert escaping.code_for_markdown(text) == f"`{text}`"


@pytest.mark.parametrize(
    "text", ["a|b", "`a`", "a``b`", " a", "a ", "\u05d0\u05d1", "é"]
)
def test_other_names_are_numbers_or_letters(text):
    shown = escaping.code_for_markdown(text)
    inside = shown.removeprefix("<code>").removesuffix("</code>")
    assert shown == f"<code>{inside}</code>"
    assert not set("|`*[]<>\\!_:@#") & set(inside.replace("&#", ""))
    assert html.unescape(inside) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("layer_0: 3 missing (a/b)", "layer_0: 3 missing (a/b)"),
        ("18:00:51 UTC", "18:00:51 UTC"),
        ("http://evil", "http&#58;//evil"),
        ("www.evil.com", "www&#46;evil.com"),
        ("a@evil.com", "a&#64;evil.com"),
        ("_a_ *b* ~c~", "&#95;a&#95; &#42;b&#42; &#126;c&#126;"),
        ("a|b\n<i>", "a&#124;b&#92;n&#60;i&#62;"),
        ("![x](y)", "&#33;&#91;x&#93;(y)"),
    ],
)
def test_in_sentences_nothing_is_markup(text, shown):
    assert escaping.for_markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>", "&lt;script&gt;"),
        ("a\"b'c&d", "a&quot;b&#x27;c&amp;d"),
        ("a\u202eb\x1b[0m", "a\\u202eb\\x1b[0m"),
        ("\udcff", "\\udcff"),
        ("  ", "\\x20\\x20"),
        (" a  b ", " a  b "),
        ("", ""),
    ],
)
def test_in_html_it_is_text(text, shown):
    assert escaping.for_html(text) == shown


def test_of_a_megabyte_the_ends_are_shown():
    shown = escaping.for_html("a" * 1_000_000 + "b")
    assert len(shown) < 450
    assert "(999601 characters)" in shown
    assert shown.endswith("b")
