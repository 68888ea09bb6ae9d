#!/usr/bin/env python3
"""Makes the goldens of models over patches, in the format of make_goldens.py.

    python3 tests/golden/make_patch_goldens.py

Tokens and targets are slots (B, S * W) with 256 in the empty ones; "logits" has a row for each symbol that the head
predicts, patch after patch: all slots of a parallel head, the bytes and predicted ends of an autoregressive one.

This is a transcription of the definitions, dense and with masks where stlm packs. REFERENCE follows the public
implementation fault by fault; the other families are the corrected model.
"""
import math

import torch
import torch.nn.functional as F

import make_goldens as base

PAD, END_OF_TEXT, VOCABULARY = 256, 257, 258


class Patches:
    """Sizes of the small models; a family is this with other values."""

    dim, layers, heads, kv_heads, ffn = 16, 2, 4, 2, 10
    byte_dim, window = 8, 5
    batch, tokens = 2, 6
    byte_heads = 2
    reference = False  # unmasked pads, no residual, 2z + P, no norm, the loss ignores 257 and not the pads
    pool_widths = [8, 8, 16]  # of the blocks' ends
    stride = False  # patches of as many bytes, their embeddings averaged
    head = "autoregressive"  # "parallel", "linear"
    ends = False  # the autoregressive head predicts ends of patches
    head_layers = 2
    reconstruction = False


class ByteLevelReference(Patches):
    reference, head, byte_heads, reconstruction = True, "parallel", 8, True
    pool_widths = [8, 16, 16, 16, 16]


class ByteLevelParallel(Patches):
    head, reconstruction = "parallel", True


class ByteLevelSpaces(Patches):
    pass


class ByteLevelTokens(Patches):
    ends = True


class ByteLevelStride(Patches):
    stride, head, window = True, "linear", 4


class Parameters(dict):
    """Made when first asked for, so that the model below is the one list of them."""

    def get_or_make(self, name, *shape):
        if name not in self:
            noise = torch.randn(shape)
            if len(shape) == 1:
                value = 1 + 0.2 * noise
            else:
                value = noise * (0.5 if name.endswith(("pool.weight", "position.weight")) else shape[1] ** -0.5)
            self[name] = value.requires_grad_()
        return self[name]


def linear(p, name, x, outputs):
    return F.linear(x, p.get_or_make(name + ".weight", outputs, x.shape[-1]))


def norm(p, name, x):
    return x / torch.sqrt(x.square().mean(-1, keepdim=True) + 1e-6) * p.get_or_make(name + ".weight", x.shape[-1])


def attention(p, name, x, heads, kv_heads, visible, rotary=False):
    """x (..., T, C); visible (..., T, T) says which keys a query may read."""
    width = x.shape[-1]
    size = width // heads
    qkv = linear(p, name + ".qkv", x, width + 2 * kv_heads * size)
    q, k, v = (part.unflatten(-1, (-1, size)).transpose(-2, -3) for part in
               qkv.split([width, kv_heads * size, kv_heads * size], -1))
    if rotary:
        theta = 10000.0 ** (-2 * torch.arange(size // 2) / size)
        turn = torch.exp(1j * torch.outer(torch.arange(x.shape[-2], dtype=torch.float64), theta))
        q, k = (torch.view_as_real(torch.view_as_complex(z.contiguous().unflatten(-1, (-1, 2))) * turn).flatten(-2)
                for z in (q, k))
    k, v = (part.repeat_interleave(heads // kv_heads, -3) for part in (k, v))
    scores = (q @ k.transpose(-1, -2) / math.sqrt(size)).masked_fill(~visible.unsqueeze(-3), -1e300)
    return linear(p, name + ".out", (scores.softmax(-1) @ v).transpose(-2, -3).flatten(-2), width)


def byte_block(c, p, name, x, hidden, outputs, visible):
    u = x + attention(p, name + ".attention", norm(p, name + ".attention_norm", x), c.byte_heads, c.byte_heads, visible)
    y = F.gelu(linear(p, name + ".ffn.up", norm(p, name + ".ffn_norm", u), hidden))
    y = linear(p, name + ".ffn.down", y, outputs)
    return y + u if y.shape == u.shape and not c.reference else y


def stream_block(p, name, x, heads, kv_heads, ffn, visible, rotary):
    x = x + attention(p, name + ".attention", norm(p, name + ".attention_norm", x), heads, kv_heads, visible, rotary)
    y = norm(p, name + ".ffn_norm", x)
    hidden = F.silu(linear(p, name + ".ffn.gate", y, ffn)) * linear(p, name + ".ffn.up", y, ffn)
    return x + linear(p, name + ".ffn.down", hidden, x.shape[-1])


def pool(c, p, slots):
    """slots (B, S, W) -> (B, S, dim)"""
    valid = torch.ones_like(slots, dtype=torch.bool) if c.reference else slots != PAD
    x = p.get_or_make("pool.weight", VOCABULARY, c.byte_dim)[slots]
    x = x + p.get_or_make("pool.position.weight", c.window, c.byte_dim)
    visible = valid.unsqueeze(-2).expand(*valid.shape, c.window)
    for i, (inputs, outputs) in enumerate(zip(c.pool_widths, c.pool_widths[1:])):
        hidden = 2 * c.byte_dim if not c.reference else (4 if i == 0 else 8) * c.byte_dim
        assert x.shape[-1] == inputs
        x = byte_block(c, p, f"pool.blocks.{i}", x, hidden, outputs, visible)
    return mean(x, valid)


def mean(x, valid):
    """Over the bytes of each patch."""
    weight = valid.unsqueeze(-1).double()
    return (x * weight).sum(-2) / weight.sum(-2).clamp(min=1)


def stride_pool(c, p, slots):
    """slots (B, S, W) -> (B, S, dim); positions are those of bytes in the sequence."""
    x = p.get_or_make("pool.weight", VOCABULARY, c.dim)[slots]
    x = x + p.get_or_make("pool.position.weight", c.tokens * c.window, c.dim).unflatten(0, (c.tokens, c.window))
    return mean(x, slots != PAD)


def linear_head(c, p, x):
    """x (B, S, dim) -> logits (B, S, W, 258)"""
    return linear(p, "head.project", x, c.window * VOCABULARY).unflatten(-1, (c.window, VOCABULARY))


def parallel_head(c, p, x):
    """x (B, S, dim) -> logits (B, S, W, 258)"""
    z = linear(p, "head.project", x, c.window * c.byte_dim).unflatten(-1, (c.window, c.byte_dim))
    z = (2 * z if c.reference else z) + p.get_or_make("head.position.weight", c.window, c.byte_dim)
    everything = torch.ones(c.window, c.window, dtype=torch.bool)
    for i in range(c.head_layers):
        z = byte_block(c, p, f"head.blocks.{i}", z, 4 * c.byte_dim, c.byte_dim, everything)
    z = z if c.reference else norm(p, "head.norm", z)
    return linear(p, "head", z, VOCABULARY)


def autoregressive_head(c, p, x, slots):
    """slots: the patch to be predicted; row i reads the symbols before it."""
    before = torch.cat([torch.full_like(slots[..., :1], PAD), slots[..., :-1]], -1)
    e = p.get_or_make("pool.weight", VOCABULARY, c.byte_dim)[before] + linear(p, "head.project", x, c.byte_dim).unsqueeze(-2)
    e = e + p.get_or_make("head.position.weight", c.window, c.byte_dim)
    past = torch.ones(c.window, c.window).tril().bool()
    for i in range(c.head_layers):
        e = stream_block(p, f"head.blocks.{i}", e, 2, 2, 2 * c.byte_dim, past, False)
    return F.linear(norm(p, "head.norm", e), p["pool.weight"])


def symbols(c, slots):
    """Which slots hold a symbol to be predicted: bytes, and the end in the first empty slot of a patch that has bytes."""
    byte = slots != PAD
    if c.head != "parallel" and not c.ends:
        return byte
    first_empty = ~byte & torch.cat([torch.zeros_like(byte[..., :1]), byte[..., :-1]], -1)
    return byte | first_empty


def forward(c, p, tokens, targets):
    x0 = x = (stride_pool if c.stride else pool)(c, p, tokens)
    past = torch.ones(c.tokens, c.tokens).tril().bool()
    for layer in range(c.layers):
        x = stream_block(p, f"core.{layer}", x, c.heads, c.kv_heads, c.ffn, past, True)

    def loss(logits, slots):
        if c.reference:  # which has no empty patches: one stands for what a batch leaves out
            missing = (slots == PAD).all(-1, keepdim=True)
            return F.cross_entropy(logits.flatten(0, -2), slots.masked_fill(missing, END_OF_TEXT).flatten(),
                                   ignore_index=END_OF_TEXT)
        counted = symbols(c, slots)
        return F.cross_entropy(logits[counted], slots[counted])

    if c.head != "autoregressive":
        head = parallel_head if c.head == "parallel" else linear_head
        logits = head(c, p, x)
        total = loss(logits, targets)
        if c.reconstruction:
            total = total + loss(head(c, p, x0), tokens)
        return logits.flatten(0, -2), total
    logits = autoregressive_head(c, p, x, targets)
    return logits[symbols(c, targets)], loss(logits, targets)


def make(c, name, seed):
    torch.manual_seed(seed)
    p = Parameters()
    lengths = torch.randint(1, c.window + 1, (c.batch, c.tokens + 1))
    if c.stride:
        lengths.fill_(c.window)
    lengths[0, :2] = torch.tensor([c.window, 1])
    lengths[-1, -1] = 0  # a patch that is not there
    text = torch.randint(256, (c.batch, c.tokens + 1, c.window))
    text[0, 3, 0], lengths[0, 3] = END_OF_TEXT, 1
    text[torch.arange(c.window) >= lengths.unsqueeze(-1)] = PAD
    tokens, targets = text[:, :-1], text[:, 1:]
    logits, start = forward(c, p, tokens, targets)
    start.backward()
    out = {"params." + key: value.clone() for key, value in p.items()}
    out.update({"grads." + key: value.grad.clone() for key, value in p.items()})
    out.update(tokens=tokens.flatten(1).int(), targets=targets.flatten(1).int(), logits=logits, loss=start[None])
    out["adamw"] = torch.tensor([1e-2, 0.9, 0.95, 1e-8, 0.1])
    optimizer = base.adamw(p.values(), *out["adamw"].tolist())
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        forward(c, p, tokens, targets)[1].backward()
        optimizer.step()
        losses.append(forward(c, p, tokens, targets)[1].item())
    out["losses"] = torch.tensor(losses)
    base.write_safetensors(name + ".safetensors", out)


if __name__ == "__main__":
    make(ByteLevelReference, "byte_level_reference", 11)
    make(ByteLevelParallel, "byte_level_parallel", 12)
    make(ByteLevelSpaces, "byte_level_spaces", 13)
    make(ByteLevelTokens, "byte_level_tokens", 14)
    make(ByteLevelStride, "byte_level_stride", 15)
