"""JSON in a script of the page: no text ends the script, or makes its end a part of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_sizes.reporting.text.escaping import script_json


@given(st.text('<>!-/&script \\"\n\u2028\u2029é', max_size=30))
def test_any_text_stays_itself_and_has_no_markup(text: str) -> None:
    made = script_json({text: [text]})
    assert json.loads(made) == {text: [text]}
    assert not set(made) & set("<>&\u2028\u2029")


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "<!--", "]]>", "<![CDATA["])
def test_what_html_would_read_as_markup_is_written_as_numbers(text: str) -> None:
    made = script_json(text)
    assert json.loads(made) == text
    assert "<" not in made


def test_letters_stay_readable_and_the_style_is_as_asked() -> None:
    assert script_json({"é": 1, "b": "c d"}, separators=(",", ":")) == '{"é":1,"b":"c d"}'
    assert script_json({"a": 1}, indent=1) == '{\n "a": 1\n}'
