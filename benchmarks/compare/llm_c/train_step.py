"""Training steps of llm.c: writes stlm's weights as a checkpoint of llm.c, compiles train_step.c with llm.c's flags, and
replaces itself by that program."""

import argparse
import json
import os
import pathlib
import struct

HEADS, BATCH = 6, 8  # of bench::Gpt2 (support/models.hpp); the tensors tell all other sizes
FLAGS = "-Ofast -march=native -fopenmp -DOMP -Wno-unused-result -Wno-ignored-pragmas -Wno-unknown-pragmas".split()

parser = argparse.ArgumentParser()
parser.add_argument("--llm-c", required=True, type=pathlib.Path, help="llm.c's folder")
parser.add_argument("--weights", required=True, type=pathlib.Path, help="of compare_train_step --model gpt2, by --save")
parser.add_argument("--threads", default="1")
parser.add_argument("--seconds", default="1")
parser.add_argument("--flag", action="append", default=[], help="of the compiler, beside its own")
args = parser.parse_args()

data = args.weights.read_bytes()
begin = 8 + struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:begin])


def shape(name):
    return header[name]["shape"]


def bytes_of(name):
    first, last = header[name]["data_offsets"]
    return data[begin + first:begin + last]


(vocabulary, dim), (length, _) = shape("embedding.weight"), shape("embedding.position.weight")
layers = sum(name.endswith("attention.qkv.weight") for name in header)
parts = [f"{part}.{kind}" for part in ("attention_norm", "attention.qkv", "attention.out", "ffn_norm", "ffn.up", "ffn.down")
         for kind in ("weight", "bias")]
order = ["embedding.weight", "embedding.position.weight"]
order += [f"core.{layer}.{part}" for part in parts for layer in range(layers)] + ["head.norm.weight", "head.norm.bias"]

checkpoint, tokens, program = (args.weights.with_suffix(suffix) for suffix in (".bin", ".tokens", f".llm_c{len(args.flag)}"))
sizes = [20240326, 3, length, vocabulary, layers, HEADS, dim, vocabulary]
checkpoint.write_bytes(struct.pack("<256i", *sizes, *[0] * (256 - len(sizes))) + b"".join(map(bytes_of, order)))
tokens.write_bytes(bytes_of("tokens"))
source = pathlib.Path(__file__).with_suffix(".c")
compiler = ["cc", *FLAGS, *args.flag, f"-I{args.llm_c}", str(source), "-o", str(program), "-lm"]
if os.spawnvp(os.P_WAIT, compiler[0], compiler) != 0:
    raise SystemExit(f"{source} does not compile: is {args.llm_c} a clone of llm.c?")
os.environ["OMP_NUM_THREADS"] = args.threads
os.execv(program, [str(program), str(checkpoint), str(tokens), str(BATCH), str(length), args.seconds])
