"""Greedy generation of 128 tokens by the models b and c, one at a time from a given first token, with a KV cache. The losses
are those of the first three tokens of the first sequence."""

import torch

import work
from model import Model

TOKENS = 128

args = work.options(model="b", batch=1)
model = Model(args.model)
start = work.load(model, args)[:args.batch, None].clone()
cache = model.new_cache(args.batch, TOKENS)
logits_of = work.compiled(model.logits, args, dynamic=True)


@torch.inference_mode()
def generate():
    tokens, losses = start, []
    for position in range(TOKENS):
        logits = logits_of(tokens, cache, position)[:, -1]
        tokens = logits.argmax(-1, keepdim=True)
        if position < 3:
            losses.append(-logits[0].log_softmax(-1)[tokens[0]].item())
    return losses


work.converse(generate(), TOKENS * args.batch, generate, args)
