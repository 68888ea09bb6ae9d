"""Greedy generation of 128 tokens by the models b and c, one at a time from a given first token. The losses are those of the
first three tokens."""

import work

TOKENS = 128

args = work.options()
reader = work.Reader(args, 1)


def generate():
    losses = []
    reader.forget()
    reader.tokens[0] = reader.sequence[0]
    for position in range(TOKENS):
        logits = reader.read()[0]
        token = reader.tokens[0] = logits.argmax()
        if position < 3:
            losses.append(work.nats(logits, token))
    return losses


work.converse(generate(), TOKENS, generate, args)
