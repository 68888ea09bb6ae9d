"""Training steps of the models a, b, c."""

import work
from model import Model

args = work.options(model="b")
model = Model(args.model)
sequence = work.load(model, args)
shape = model.sizes["batch"], model.sizes["tokens"]
work.train(model, sequence[:-1].view(shape), sequence[1:].view(shape), args)
