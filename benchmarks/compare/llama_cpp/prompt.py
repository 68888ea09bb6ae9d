"""A prompt of 128 tokens in one pass, by the models b and c: keys and values into the cache, and the logits of all tokens.
The loss is the mean over them."""

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
