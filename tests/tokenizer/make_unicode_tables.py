#!/usr/bin/env python3
"""Makes include/stlm/tokenizer/detail/unicode_tables.hpp: where \\p{L}, \\p{N} and \\s of `regex` begin and end.

    python3 -m venv V && V/bin/pip install regex unicodedata2 && V/bin/python tests/tokenizer/make_unicode_tables.py

The categories of `unicodedata2` must agree, and give the version of Unicode.
"""
import pathlib

import regex
import unicodedata2

ROOT = pathlib.Path(__file__).parents[2]
CLASSES = [regex.compile(pattern) for pattern in (r"\p{L}", r"\p{N}", r"\s")]  # 1, 2, 3; others 0
CODES = 0x110000


def char_class(code):
    found = next((i for i, pattern in enumerate(CLASSES, 1) if pattern.match(chr(code))), 0)
    category = unicodedata2.category(chr(code))[0]
    assert (found == 1) == (category == "L") and (found == 2) == (category == "N"), hex(code)
    return found


classes = [char_class(code) for code in range(CODES)]
changes = [code << 2 | classes[code] for code in range(CODES) if code == 0 or classes[code] != classes[code - 1]]

lines, line = [], " "
for change in changes:
    number = f" {change:#x},"
    if len(line) + len(number) > 120:
        lines.append(line)
        line = " "
    line += number
lines.append(line)

(ROOT / "include/stlm/tokenizer/detail/unicode_tables.hpp").write_text(f"""\
// Made by tests/tokenizer/make_unicode_tables.py from Unicode {unicodedata2.unidata_version}.
// Each number is 4 * (first character of a range) + class; a range ends where the next begins.
// Classes: 0 none of the others, 1 letter \\p{{L}}, 2 number \\p{{N}}, 3 space \\s.
#pragma once

#include <cstdint>

namespace stlm::detail {{

// clang-format off
inline constexpr std::uint32_t unicode_changes[] = {{
{chr(10).join(lines)}
}};
// clang-format on

}}  // namespace stlm::detail
""")
print(*(f"class {i}: {classes.count(i)} characters" for i in range(4)), sep="\n")
