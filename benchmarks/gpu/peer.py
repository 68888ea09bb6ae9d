#!/usr/bin/env python3
"""The work of train_step.cu and generate.cu in PyTorch, from the same weights and tokens.

    train_step_10m --save 10m.safetensors
    peer.py train --model 10m --weights 10m.safetensors --batch 8 64 --settings eager compile graph
    peer.py generate --model 10m --weights 10m.safetensors --batch 1 64
    peer.py lines < several      # each line of the input has the arguments of one call

Prints a line of JSON for each batch and setting as soon as it is measured; one that fails does not stop the others.
Autocast makes products bfloat16; weights and AdamW's moments are float. scaled_dot_product_attention chooses its kernel,
AdamW is fused, and gradients are clipped as stlm clips them. Settings of training:

  eager          op by op
  compile        torch.compile, its default mode
  autotune       mode max-autotune-no-cudagraphs
  graph          compile, and the whole step, optimizer included, captured as one CUDA graph
  graph-autotune the same with autotune

Generation has a KV cache of fixed size; the step of one token is compiled and replayed as a CUDA graph.
"""

import argparse
import json
import pathlib
import shlex
import statistics
import sys
import time

import torch
import torch.nn.functional as F

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "compare/pytorch"))
from model import SIZES, Model, turns  # noqa: E402
from work import read_safetensors  # noqa: E402

SIZES.update({
    "10m": {"dim": 384, "layers": 6, "heads": 6, "ffn": 1024, "vocabulary": 256, "tokens": 256},
    "30m": {"dim": 384, "layers": 6, "heads": 6, "ffn": 1024, "vocabulary": 50304, "tokens": 1024},
    "50m": {"dim": 512, "layers": 8, "heads": 8, "ffn": 1376, "vocabulary": 50304, "tokens": 1024},
    "100m": {"dim": 768, "layers": 12, "heads": 12, "ffn": 2048, "vocabulary": 50304, "tokens": 1024},
})
SETTINGS = ["eager", "compile", "graph", "autotune", "graph-autotune"]
PROMPT = 32
DEVICE = "cuda"


def load(args):
    """The model, and the token sequence from which all batches and prompts are taken."""
    model = Model(args.model)
    if args.weights:
        tensors = read_safetensors(args.weights)
        tokens = tensors.pop("tokens").long()
        model.load_state_dict(tensors)
    else:
        tokens = torch.randint(model.sizes["vocabulary"], (2**16 + 1,))
    return model.to(DEVICE), tokens.to(DEVICE)


def times(work, runs):
    """Milliseconds of each call of work(), by events; the host queues all calls without waiting."""
    events = [torch.cuda.Event(enable_timing=True) for _ in range(runs + 1)]
    events[0].record()
    for event in events[1:]:
        work()
        event.record()
    torch.cuda.synchronize()
    return [begin.elapsed_time(end) for begin, end in zip(events, events[1:])]


def adamw(model, capturable):
    groups = [{"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": 0.1},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, fused=True, capturable=capturable)


def train(args, batch, setting):
    torch.compiler.reset()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    model, tokens = load(args)
    length = model.sizes["tokens"]
    rows = batch * length
    inputs, targets = tokens[:rows].view(batch, length), tokens[1:rows + 1].view(batch, length)
    replayed, tuned = setting.startswith("graph"), setting.endswith("autotune")
    optimizer = adamw(model, replayed)
    mode = "max-autotune-no-cudagraphs" if tuned else "default"
    loss_of = model if setting == "eager" else torch.compile(model, mode=mode)
    parameters = list(model.parameters())

    def step():
        with torch.autocast(DEVICE, torch.bfloat16, cache_enabled=not replayed):
            loss = loss_of(inputs, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        return loss.detach()

    def run():
        optimizer.zero_grad(set_to_none=True)
        return step()

    losses = []
    if replayed:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            losses += [run().item() for _ in range(3)]
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        optimizer.zero_grad(set_to_none=True)  # so that the captured backward writes gradients instead of adding
        with torch.cuda.graph(graph):
            loss = step()

        def run():
            graph.replay()
            return loss

    while len(losses) < 20:
        start = time.perf_counter()
        losses.append(run().item())
    setup = time.perf_counter() - began
    most = int(3 / (time.perf_counter() - start))  # three seconds are enough
    found = times(run, max(10, min(args.steps, most)))
    ms = statistics.median(found)
    return {"batch": batch, "tokens_per_step": rows, "ms": ms, "tokens_per_second": rows / ms * 1e3,
            "setup_seconds": setup, "peak_bytes": torch.cuda.max_memory_reserved(), "loss": losses}


class Decoder:
    """The model with a KV cache of `capacity` tokens; the positions of a step are a tensor on the device."""

    def __init__(self, model, batch, capacity):
        size = model.sizes
        self.model, self.head_dim = model.to(torch.bfloat16), size["dim"] // size["heads"]
        shape = 2, batch, size["heads"], capacity, self.head_dim
        self.caches = [torch.zeros(shape, dtype=torch.bfloat16, device=DEVICE) for _ in model.core]
        self.turns = torch.view_as_real(turns(capacity, self.head_dim)).to(DEVICE)
        self.places = torch.arange(capacity, device=DEVICE)

    def attend(self, layer, x, cache, where):
        q, k, v = (part.unflatten(-1, (-1, self.head_dim)) for part in layer.qkv(x).split(layer.widths, -1))
        cos, sin = self.turns[where][:, None].unbind(-1)

        def turned(z):
            even, odd = z.float().unflatten(-1, (-1, 2)).unbind(-1)
            return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2).type_as(z)

        q, k, v = (z.transpose(1, 2) for z in (turned(q), turned(k), v))
        cache[0].index_copy_(2, where, k)
        cache[1].index_copy_(2, where, v)
        seen = self.places[None, :] <= where[:, None]
        mixed = F.scaled_dot_product_attention(q, cache[0], cache[1], attn_mask=seen)
        return layer.out(mixed.transpose(1, 2).flatten(-2))

    def __call__(self, tokens, where):
        """tokens (B, T) at the positions `where` (T) -> the likeliest next token of each text (B, 1)."""
        x = self.model.embedding(tokens)
        for block, cache in zip(self.model.core, self.caches):
            x = x + self.attend(block.attention, block.attention_norm(x), cache, where)
            x = x + block.ffn(block.ffn_norm(x))
        x = self.model.head["norm"](x[:, -1:])
        return F.linear(x, self.model.embedding.weight).float().argmax(-1)


@torch.inference_mode()
def generate(args, batch, setting):
    torch.compiler.reset()
    model, tokens = load(args)
    decoder = Decoder(model, batch, PROMPT + args.count)
    prompt, places = tokens[:batch * PROMPT].view(batch, PROMPT), torch.arange(PROMPT, device=DEVICE)
    step = torch.compile(decoder.__call__) if setting != "eager" else decoder
    following, where = decoder(prompt, places), torch.tensor([PROMPT], device=DEVICE)
    replay = None
    if setting == "graph":
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step(following, where)
        torch.cuda.current_stream().wait_stream(side)
        replay = torch.cuda.CUDAGraph()
        with torch.cuda.graph(replay):
            following.copy_(step(following, where))
            where += 1

    def run(count):
        following.copy_(decoder(prompt, places))
        where.fill_(PROMPT)
        found = [following.clone()]
        for _ in range(count - 1):
            if replay:
                replay.replay()
            else:
                following.copy_(step(following, where))
                where.add_(1)
            found.append(following.clone())
        return torch.cat(found, 1)

    def seconds(count):
        torch.cuda.synchronize()
        began = time.perf_counter()
        found = run(count)
        torch.cuda.synchronize()
        return time.perf_counter() - began, found

    seconds(args.count)
    first = statistics.median(seconds(1)[0] for _ in range(args.runs))
    measured = [seconds(args.count) for _ in range(args.runs)]
    return {"batch": batch, "count": args.count,
            "tokens_per_second": batch * args.count / statistics.median(t for t, _ in measured),
            "first_token_ms": first * 1e3, "tokens": measured[0][1][0, :16].tolist()}


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["train", "generate"])
    parser.add_argument("--model", choices=["10m", "30m", "50m", "100m"], default="10m")
    parser.add_argument("--weights", help="of train_step_MODEL --save; default: others, to warm up the compiler")
    parser.add_argument("--batch", type=int, nargs="+", default=[8])
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, help="default: all but autotune; of generation, graph")
    parser.add_argument("--steps", type=int, default=50, help="of training, timed")
    parser.add_argument("--count", type=int, default=256, help="of tokens generated")
    parser.add_argument("--runs", type=int, default=5, help="of generation, timed")
    args = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("skipped: PyTorch finds no GPU.")
        return 77
    works = {"train": (train, "train_step", ["eager", "compile", "graph"]),
             "generate": (generate, "generate", ["graph"])}
    do, program, settings = works[args.work]
    failed, lines = 0, 0
    for setting in args.settings or settings:
        for batch in args.batch:
            line = {"program": program, "system": "pytorch", "version": torch.__version__, "model": args.model,
                    "setting": setting, "batch": batch}
            try:
                line |= do(args, batch, setting)
            except Exception as error:  # this setting failed; the others go on
                failed += 1
                line["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            print(json.dumps(line), flush=True)
            lines += 1
    return 1 if failed == lines else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["lines"]:
        sys.exit(max([main(shlex.split(line)) for line in sys.stdin], default=0))
    sys.exit(main(sys.argv[1:]))
