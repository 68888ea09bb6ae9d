#!/usr/bin/env python3
"""Compares the ids of stlm_tokenize with those of tiktoken on mixed text, 7 MB and more, and decodes them again.

    python3 -m venv V && V/bin/pip install tiktoken regex
    STLM_DATA_DIR=... V/bin/python tests/tokenizer/compare_gpt2.py build/test/examples/stlm_tokenize [FILE...]

STLM_DATA_DIR holds gpt2_encoder.json, gpt2_vocab.bpe and any texts (*.txt), which are compared too, as are the FILEs.
The module `regex` splits, with GPT-2's own pattern, what is decoded with "surrogateescape"; tiktoken merges the bytes
of each piece. Where the text is UTF-8, tiktoken's own splitting must agree as well.
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import regex
import tiktoken
from tiktoken.load import data_gym_to_mergeable_bpe_ranks

PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
SPLIT = regex.compile(PATTERN)


def pieces(data):
    """The pieces of any bytes."""
    text = data.decode("utf-8", "surrogateescape")
    return [piece.encode("utf-8", "surrogateescape") for piece in SPLIT.findall(text)]


def files(folder):
    return str(folder / "gpt2_encoder.json"), str(folder / "gpt2_vocab.bpe")


def load(folder):
    encoder, merges = files(folder)
    ranks = data_gym_to_mergeable_bpe_ranks(vocab_bpe_file=merges, encoder_json_file=encoder)
    return tiktoken.Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256})


def encode(gpt2, data, known={}):
    ids = []
    for piece in pieces(data):
        if piece not in known:
            known[piece] = gpt2._encode_single_piece(piece)
        ids += known[piece]
    return ids


# Characters that are old enough for every version of Unicode, in groups that meet each other in odd ways.
LETTERS = "aZéßñøżŁğıАяЖΩλשבأبتकखगあいアカ漢字한글ไทยከ𐐷𝒜ﬁªᵃǅʰ"
MARKS = "\u0301\u0300\u093e\u0e31\u05b0\u200d\ufe0f\u20e3"
NUMBERS = "0123456789²½Ⅷ٣५৪𝟘〇㉓"
SPACES = " \t\n\r\x0b\x0c\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000"
OTHERS = "'’`\".,;:!?-—_#$%&()*+/<=>@[]^{|}~\\\x00\x1f\x7f€©→∑█\u200b\ufeff\ufffd"
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "❤️", "🏳️‍🌈", "1️⃣"]
ENDINGS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "’s", "''s", "'", "'sun", " 's", "'v", "'l"]


def mixed(rng, size):
    """Runs of characters of all kinds, whole words, line ends, code, and bytes that are no UTF-8."""
    words = "the of and to in that it's don't we'll they're I've I'm he'd Hello World naïve Straße".split()
    code = ["for (int i = 0; i < n; ++i) {\n    x[i] += 0x1F;\n}\r\n", "def f(a, b=None):\n\treturn a['k'] or b\n",
            "<div class=\"x\">&nbsp;</div>\n", "https://example.org/a?b=c&d=%20#e", "1,234,567.89e-10",
            "\r\n\r\n  \r\n"]
    out = bytearray()
    while len(out) < size:
        kind = rng.randrange(12)
        if kind < 3:
            out += " ".join(rng.choices(words, k=rng.randrange(1, 9))).encode()
        elif kind == 3:
            out += rng.choice(code).encode()
        elif kind == 4:
            out += rng.choice(EMOJI + ENDINGS).encode() * rng.choice([1, 1, 1, 2, 7])
        elif kind == 5:
            out += rng.choice(SPACES).encode() * rng.choice([1, 2, 3, 8, 30])
        elif kind == 6:
            out += bytes(rng.choices(range(256), k=rng.randrange(1, 6)))
        elif kind == 7:
            character = rng.choice(LETTERS + NUMBERS + OTHERS).encode()
            out += character[: rng.randrange(1, len(character) + 1)]  # often cut off
        else:
            group = rng.choice([LETTERS, LETTERS + MARKS, NUMBERS, SPACES, OTHERS, LETTERS + NUMBERS + SPACES + OTHERS])
            out += "".join(rng.choices(group, k=rng.choice([1, 2, 3, 5, 9, 40]))).encode()
        if rng.random() < 0.5:
            out += b" "
    return bytes(out)


def stlm(program, folder, data, *options):
    encoder, merges = files(folder)
    command = [program, "--encoder", encoder, "--merges", merges, *options]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def main():
    program, more = sys.argv[1], sys.argv[2:]
    folder = pathlib.Path(os.environ["STLM_DATA_DIR"])
    gpt2 = load(folder)
    texts = {path.name: path.read_bytes() for path in [*sorted(folder.glob("*.txt")), *map(pathlib.Path, more)]}
    root = pathlib.Path(__file__).parents[2]
    sources = [path for part in ("include", "tests", "examples") for path in sorted((root / part).rglob("*.[hcp]*p"))]
    texts["source code of stlm"] = b"".join(path.read_bytes() for path in sources)
    for seed in range(4):
        texts[f"mixed, seed {seed}"] = mixed(random.Random(seed), 1_500_000)
    texts["mixed, UTF-8 only"] = mixed(random.Random(4), 1_500_000).decode(errors="ignore").encode()
    texts["random bytes"] = random.Random(5).randbytes(300_000)
    texts["one letter"] = b"a" * 3000
    texts["one digit, then spaces, then one emoji"] = b"7" * 3000 + b" " * 3000 + "😀".encode() * 1000

    bytes_, ids_, differ = 0, 0, 0
    for name, data in texts.items():
        want = encode(gpt2, data)
        line = stlm(program, folder, data)
        got = list(map(int, line.split()))
        same = got == want and stlm(program, folder, line, "--decode") == data
        also = ""
        try:
            same, also = same and gpt2.encode_ordinary(data.decode()) == got, ", UTF-8"
        except UnicodeDecodeError:
            pass
        bytes_, ids_, differ = bytes_ + len(data), ids_ + len(got), differ + (not same)
        print(f"{'same' if same else 'DIFFERENT'}: {name}: {len(data)} bytes{also}, {len(got)} ids")
        if got != want:
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            print(f"  from id {at} on: stlm {got[at:at + 8]}, tiktoken {want[at:at + 8]}")
    print(f"{bytes_} bytes, {ids_} ids, {differ} of {len(texts)} texts differ")
    return differ != 0


if __name__ == "__main__":
    sys.exit(main())
