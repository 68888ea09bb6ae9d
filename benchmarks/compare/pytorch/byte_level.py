"""A training step of the preset ByteLevel, 55.9M parameters, written plainly: bytes pooled into patches, a core over
patches, all bytes of the next patch predicted at once. It has the same faults of the reference as the preset: empty slots
are computed like bytes, byte blocks have no residual around their feed-forward layer, the head adds positions to twice
its input, and the loss ignores the id 257."""

import torch
import torch.nn.functional as F
from torch import nn

import work
from model import Attention, Block, linear, turns

DIM, LAYERS, HEADS, KV_HEADS, FFN = 768, 10, 16, 4, 1536
BYTE_DIM, WINDOW, VOCABULARY = 128, 12, 258
BATCH, PATCHES = 2, 128


class ByteBlock(nn.Module):
    def __init__(self, inputs, outputs, hidden):
        super().__init__()
        self.attention_norm, self.ffn_norm = nn.RMSNorm(inputs, 1e-6), nn.RMSNorm(inputs, 1e-6)
        self.attention = Attention(inputs, 8, 8, causal=False)
        self.ffn = nn.ModuleDict({"up": linear(inputs, hidden), "down": linear(hidden, outputs)})

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return self.ffn["down"](F.gelu(self.ffn["up"](self.ffn_norm(x))))


class Pool(nn.Module):
    """slots (B, S, W) -> (B, S, C)"""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(VOCABULARY, BYTE_DIM))
        self.position = nn.Embedding(WINDOW, BYTE_DIM)
        wide = 2 * BYTE_DIM
        self.blocks = nn.Sequential(ByteBlock(BYTE_DIM, wide, 2 * wide), ByteBlock(wide, wide, 4 * wide),
                                    ByteBlock(wide, wide, 4 * wide), ByteBlock(wide, DIM, 4 * wide))

    def forward(self, slots):
        x = F.embedding(slots.flatten(0, 1), self.weight) + self.position.weight
        return self.blocks(x).mean(1).unflatten(0, slots.shape[:2])


class Head(nn.Module):
    """x (B, S, C) -> logits (B * S, W, V)"""

    def __init__(self):
        super().__init__()
        self.project = linear(DIM, WINDOW * BYTE_DIM)
        self.position = nn.Embedding(WINDOW, BYTE_DIM)
        self.blocks = nn.Sequential(*(ByteBlock(BYTE_DIM, BYTE_DIM, 4 * BYTE_DIM) for _ in range(7)))
        self.weight = nn.Parameter(torch.empty(VOCABULARY, BYTE_DIM))

    def forward(self, x):
        z = self.project(x).view(-1, WINDOW, BYTE_DIM)
        return F.linear(self.blocks(2 * z + self.position.weight), self.weight)


class ByteLevel(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool, self.head = Pool(), Head()
        self.core = nn.ModuleList(Block(DIM, HEADS, KV_HEADS, FFN) for _ in range(LAYERS))
        self.register_buffer("turn", turns(PATCHES, DIM // HEADS), persistent=False)

    def loss(self, x, slots):
        return F.cross_entropy(self.head(x).float().flatten(0, 1), slots.flatten(), ignore_index=257)

    def forward(self, tokens, targets):
        pooled = x = self.pool(tokens)
        for block in self.core:
            x = block(x, self.turn)
        return self.loss(x, targets) + self.loss(pooled, tokens)


args = work.options()
model = ByteLevel()
slots = work.load(model, args)
shape = BATCH, PATCHES, WINDOW
work.train(model, slots[:-WINDOW].view(shape), slots[WINDOW:].view(shape), args)
