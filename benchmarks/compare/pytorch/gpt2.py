"""GPT-2's architecture in PyTorch, in the size of model b: layer norms, learned positions, biases, GELU by tanh, a tied head.
Parameters are named as stlm names them (models/byte_model.hpp)."""

import torch.nn.functional as F
from model import Attention
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attention_norm, self.ffn_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention, self.ffn = Attention(dim, heads, heads, bias=True), FeedForward(dim)

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.ffn(self.ffn_norm(x))


class Embedding(nn.Embedding):
    def __init__(self, vocabulary, tokens, dim):
        super().__init__(vocabulary, dim)
        self.position = nn.Embedding(tokens, dim)

    def forward(self, tokens):
        return super().forward(tokens) + self.position.weight[:tokens.shape[1]]


class Gpt2(nn.Module):
    sizes = {"dim": 384, "layers": 6, "heads": 6, "vocabulary": 256, "batch": 8, "tokens": 256}

    def __init__(self):
        super().__init__()
        dim = self.sizes["dim"]
        self.embedding = Embedding(self.sizes["vocabulary"], self.sizes["tokens"], dim)
        self.core = nn.ModuleList(Block(dim, self.sizes["heads"]) for _ in range(self.sizes["layers"]))
        self.head = nn.ModuleDict({"norm": nn.LayerNorm(dim)})

    def forward(self, tokens, targets):
        x = self.embedding(tokens)
        for block in self.core:
            x = block(x)
        logits = F.linear(self.head["norm"](x), self.embedding.weight)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
