"""Training steps of the models a, b, c, and, without weight decay, of GPT-2's architecture."""

import work
from gpt2 import Gpt2
from model import Model

args = work.options(model="b")
model = Gpt2() if args.model == "gpt2" else Model(args.model)
sequence = work.load(model, args)
shape = model.sizes["batch"], model.sizes["tokens"]
work.train(model, sequence[:-1].view(shape), sequence[1:].view(shape), args, decay=0 if args.model == "gpt2" else 0.1)
