"""A prompt of 128 tokens in one pass, by the models b and c: keys and values into the cache, and the logits of all tokens.
The loss is the mean over them."""

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
