"""The models a, b, c in PyTorch: a pre-norm transformer with rotary positions, SwiGLU and a tied head, without biases.
Parameters are named as stlm names them (models/byte_model.hpp)."""

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {
    "a": {"dim": 128, "layers": 4, "heads": 4, "ffn": 344, "vocabulary": 256, "batch": 16, "tokens": 256},
    "b": {"dim": 384, "layers": 6, "heads": 6, "ffn": 1024, "vocabulary": 256, "batch": 8, "tokens": 256},
    "c": {"dim": 512, "layers": 8, "heads": 8, "ffn": 1376, "vocabulary": 50257, "batch": 4, "tokens": 512},
}


def linear(inputs, outputs, bias=False):
    return nn.Linear(inputs, outputs, bias)


def turns(tokens, head_dim):
    """cos + i sin (tokens, head_dim / 2): pair i at position t turns by t * 10000^(-2i / head_dim)."""
    speed = 10000.0 ** (-2 * torch.arange(head_dim // 2, dtype=torch.float64) / head_dim)
    angle = torch.outer(torch.arange(tokens, dtype=torch.float64), speed)
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)


def rotate(x, turn):
    """Rotates the pairs of neighbours in x (B, T, H, D). Eager, a complex product is one kernel; compiled, real ones fuse."""
    pairs = x.float().unflatten(-1, (-1, 2))
    turn = turn[:, None, :]
    if not torch.compiler.is_compiling():
        return torch.view_as_real(torch.view_as_complex(pairs) * turn).flatten(-2).type_as(x)
    (even, odd), (cos, sin) = pairs.unbind(-1), torch.view_as_real(turn).unbind(-1)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2).type_as(x)


class Attention(nn.Module):
    def __init__(self, dim, heads, kv_heads, causal=True, bias=False):
        super().__init__()
        self.size, self.groups, self.causal = dim // heads, heads // kv_heads, causal
        self.widths = [dim, kv_heads * self.size, kv_heads * self.size]
        self.qkv = linear(dim, sum(self.widths), bias)
        self.out = linear(dim, dim, bias)

    def forward(self, x, turn=None, cache=None, position=0):
        """x (B, T, C). With a cache of keys and values, each (B, Kv, capacity, D), x follows `position` earlier tokens."""
        q, k, v = (part.unflatten(-1, (-1, self.size)) for part in self.qkv(x).split(self.widths, -1))
        if turn is not None:
            q, k = rotate(q, turn), rotate(k, turn)
        q, k, v = (z.transpose(1, 2) for z in (q, k, v))
        if cache is not None:
            end = position + x.shape[1]
            for stored, new in zip(cache, (k, v)):
                stored[:, :, position:end] = new
            k, v = (stored[:, :, :end] for stored in cache)
        if self.groups > 1:
            k, v = (z.repeat_interleave(self.groups, 1) for z in (k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal and x.shape[1] > 1)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class SwiGlu(nn.Module):
    def __init__(self, dim, ffn):
        super().__init__()
        self.gate, self.up, self.down = linear(dim, ffn), linear(dim, ffn), linear(ffn, dim)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    def __init__(self, dim, heads, kv_heads, ffn):
        super().__init__()
        self.attention_norm, self.ffn_norm = nn.RMSNorm(dim, 1e-6), nn.RMSNorm(dim, 1e-6)
        self.attention, self.ffn = Attention(dim, heads, kv_heads), SwiGlu(dim, ffn)

    def forward(self, x, turn, cache=None, position=0):
        x = x + self.attention(self.attention_norm(x), turn, cache, position)
        return x + self.ffn(self.ffn_norm(x))


class Model(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.sizes = size = SIZES[name]
        self.embedding = nn.Embedding(size["vocabulary"], size["dim"])
        shape = size["dim"], size["heads"], size["heads"], size["ffn"]
        self.core = nn.ModuleList(Block(*shape) for _ in range(size["layers"]))
        self.head = nn.ModuleDict({"norm": nn.RMSNorm(size["dim"], 1e-6)})
        self.register_buffer("turn", turns(size["tokens"], size["dim"] // size["heads"]), persistent=False)

    def new_cache(self, batch, capacity):
        heads = self.sizes["heads"]
        return [torch.zeros(2, batch, heads, capacity, self.sizes["dim"] // heads) for _ in self.core]

    def logits(self, tokens, cache=None, position=0):
        x, turn = self.embedding(tokens), self.turn[position:position + tokens.shape[1]]
        for i, block in enumerate(self.core):
            x = block(x, turn, cache and cache[i], position)
        return F.linear(self.head["norm"](x), self.embedding.weight)

    def forward(self, tokens, targets):
        return F.cross_entropy(self.logits(tokens).float().flatten(0, 1), targets.flatten())
