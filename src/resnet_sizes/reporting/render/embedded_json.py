"""JSON inside a `<script>` of the page."""

import json
from typing import Any

# `</script>` would end the element, and `<!--<script>` makes its own end tag a part of it. Inside
# JSON these characters stand only in texts, which may have them as numbers. The last two end a
# line where a script is read as JavaScript.
_ESCAPES = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"})


def script_json(data: Any, **style: Any) -> str:
    """`data` as JSON that no text in it can end or swallow; `style` is that of `json.dumps`."""
    return json.dumps(data, ensure_ascii=False, **style).translate(_ESCAPES)
