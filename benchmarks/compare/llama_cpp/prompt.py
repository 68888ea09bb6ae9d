"""A pass of the models b and c over a prompt of 128 tokens: it fills the KV cache and computes the logits of all tokens. The
loss is the mean over all tokens."""

import work

TOKENS = 128

args = work.options()
reader = work.Reader(args, TOKENS)
reader.tokens[:] = reader.sequence[:TOKENS].tolist()


def read():
    reader.forget()
    return reader.read()


losses = map(work.nats, read(), reader.sequence[1:TOKENS + 1])
work.converse([sum(losses) / TOKENS], TOKENS, read, args)
