#!/usr/bin/env python3
"""Prints what the reference makes of a text, as the expected values of reference_patches.test.cpp.

    python3 tests/data/make_reference_patches.py

The pooling tokenizer here has tokens of three bytes. Each is decoded with errors="replace", encoded again and cut to 12
or 4 bytes; the end of text is a token whose string is <|endoftext|>.
"""
DOCUMENTS = ["caf\u00e9 \u20ac\U0001F600 x".encode(), b"plain words", b"\xff\xc3\xe2\x82"]


def patches(window):
    out = []
    for document in DOCUMENTS:
        tokens = [document[i:i + 3] for i in range(0, len(document), 3)]
        strings = [token.decode("utf-8", errors="replace") for token in tokens] + ["<|endoftext|>"]
        out += [string.encode()[:window] for string in strings]
    return out[:-1]  # nothing follows the last document


for window in (12, 4):
    print(window, " ".join(patch.hex() for patch in patches(window)))
