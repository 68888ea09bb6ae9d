"""What the Python programs of this folder share: options, and the protocol between ./run and every system
(stlm/work.hpp)."""

import argparse
import json
import sys
import time


def parser(scalars):
    """A parser of the options that all of them have; `scalars` are the choices for the weights that products read."""
    options = argparse.ArgumentParser()
    options.add_argument("--weights", required=True, help="of compare_train_step or compare_byte_level, by --save")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--seconds", type=float, default=1)
    options.add_argument("--scalar", choices=scalars, default="f32")
    return options


def converse(losses, tokens, step, args):
    """Talks to ./run; `tokens` are the tokens of a step."""
    print(json.dumps({"loss": losses}), flush=True)
    for _ in sys.stdin:
        start, steps, passed = time.perf_counter(), 0, 0.0
        while passed < args.seconds:
            step()
            steps += 1
            passed = time.perf_counter() - start
        print(json.dumps({"tokens_per_second": tokens * steps / passed}), flush=True)
