"""A pass of the models b and c over a prompt of 128 tokens: it fills the KV cache and computes the logits of all tokens. The
loss is the mean over all tokens."""

import torch
import torch.nn.functional as F

import work
from model import Model

TOKENS = 128

args = work.options(model="b")
model = Model(args.model)
sequence = work.load(model, args)
prompt, targets = sequence[None, :TOKENS].clone(), sequence[1:TOKENS + 1]
cache = model.new_cache(1, TOKENS)
logits_of = work.compiled(model.logits, args)


@torch.inference_mode()
def read():
    return logits_of(prompt, cache)


work.converse([F.cross_entropy(read()[0], targets).item()], TOKENS, read, args)
