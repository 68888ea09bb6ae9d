#!/usr/bin/env python3
"""Makes the files in golden/ that the tests of this folder read. The packages are those of compare_gpt2.py.

    STLM_DATA_DIR=... V/bin/python tests/tokenizer/make_goldens.py

gpt2.txt     a line: bytes in hexadecimal, ":", how many bytes each piece has, ":", the ids of GPT-2
merges.txt   a line: rule, vocabulary, bytes in hexadecimal, ":", the merges as "left right left right ..."
"""
import collections
import os
import pathlib
import random

from compare_gpt2 import EMOJI, ENDINGS, LETTERS, MARKS, NUMBERS, OTHERS, SPACES, encode, load, mixed, pieces

GOLDEN = pathlib.Path(__file__).parent / "golden"


def texts():
    rng = random.Random(489)
    for ending in ENDINGS:
        for before in ("", " ", "x", "it", "1", "'", "\n", " '"):
            yield (before + ending + "x").encode()
            yield (before + ending).encode()
    for space in SPACES:
        for shape in ("{0}", "{0}{0}", "a{0}b", "a{0}{0}b", "a{0} b", "a {0}b", "a {0}", "{0}\n{0}1", "  {0}.",
                      "{0}'s"):
            yield shape.format(space).encode()
    for character in LETTERS + MARKS + NUMBERS + OTHERS:
        encoded = character.encode()
        for cut in range(1, len(encoded) + 1):
            yield b"a " + encoded[:cut] + b"b1 " + encoded[cut:] + encoded
    for emoji in EMOJI:
        yield ("x " + emoji + emoji + "y " + emoji).encode()
    # No UTF-8: too long forms, surrogates, beyond U+10FFFF, ends and beginnings alone.
    for bad in ("c080", "c1bf", "e09fbf", "f08fbfbf", "eda080", "edbfbf", "f4908080", "f5808080", "ff", "fe", "80",
                "bf", "c3", "e282", "f09f98", "e28241", "f09f4141", "eda0bdedb880"):
        yield b"a" + bytes.fromhex(bad) + b" " + bytes.fromhex(bad) * 2 + b"\n" + bytes.fromhex(bad)
    for _ in range(300):
        yield mixed(rng, rng.randrange(1, 60))
    yield b"Hello world, it's 2024! " + b"The quick brown fox jumps over the lazy dog." * 2
    yield b"a" * 100 + b" " * 100 + b"0" * 100 + b"=" * 100


def reference_merges(text, vocabulary):
    """The contract of the batched rule, word for word."""
    ids, merges = list(text), []
    while len(merges) < vocabulary - 256 - 2:
        left = vocabulary - 256 - 2 - len(merges)
        frequent = [pair for pair, _ in collections.Counter(zip(ids, ids[1:])).most_common(min(64, left))]
        first, second, new = set(), set(), {}
        for a, b in frequent:
            if a not in second and b not in first:
                new[a, b] = 256 + len(merges)
                merges.append((a, b))
            first.add(a)
            second.add(b)
        out, i = [], 0
        while i < len(ids):
            if i + 1 < len(ids) and (ids[i], ids[i + 1]) in new:
                out.append(new[ids[i], ids[i + 1]])
                i += 2
            else:
                out.append(ids[i])
                i += 1
        ids = out
    return merges


def greedy_merges(text, vocabulary):
    """Counts everything anew for every merge."""
    words, merges = [list(piece) for piece in pieces(text)], []
    while len(merges) < vocabulary - 256 - 2:
        counts = collections.Counter(pair for word in words for pair in zip(word, word[1:]))
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        for word in words:
            i = 0
            while i + 1 < len(word):
                if (word[i], word[i + 1]) == best:
                    word[i:i + 2] = [256 + len(merges)]
                i += 1
        merges.append(best)
    return merges


def training_text(seed, words, size):
    """Few words in changing order, with runs, so that counts tie and pairs overlap."""
    rng = random.Random(seed)
    out = []
    while sum(map(len, out)) < size:
        out.append(rng.choice(words) + rng.choice([" ", " ", " ", ", ", ".\n", "aaaaa ", "--------", "  "]))
    return "".join(out).encode()


def write(name, lines):
    (GOLDEN / name).write_text("".join(line + "\n" for line in lines))


def numbers(values):
    return " ".join(map(str, values))


def main():
    GOLDEN.mkdir(exist_ok=True)
    gpt2 = load(pathlib.Path(os.environ["STLM_DATA_DIR"]))
    unique = list(dict.fromkeys(texts()))
    write("gpt2.txt", [f"{text.hex()}: {numbers(map(len, pieces(text)))} : {numbers(encode(gpt2, text))}"
                       for text in unique])

    english = "the then there other mother another anna banana bandana can canal it it's naïve 1000 日本 日本語".split()
    few = ["ab", "ba", "aa", "b"]
    lines = []
    for rule, learn, seed, words, size, merges in (
            ("reference", reference_merges, 1, english, 1500, 100), ("reference", reference_merges, 2, few, 800, 70),
            ("reference", reference_merges, 3, english[:4], 400, 7), ("greedy", greedy_merges, 1, english, 1500, 70),
            ("greedy", greedy_merges, 2, few, 800, 12), ("greedy", greedy_merges, 3, english[:4], 400, 7)):
        text = training_text(seed, words, size)
        ids = [id for pair in learn(text, 258 + merges) for id in pair]
        lines.append(f"{rule} {258 + merges} {text.hex()}: {numbers(ids)}")
    write("merges.txt", lines)


if __name__ == "__main__":
    main()
