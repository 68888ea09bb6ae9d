#!/usr/bin/env python3
"""Makes the files beside it: what PyTorch computes, in float64, for tests to compare with.

    python3 tests/golden/make_goldens.py        # PyTorch 1.13 or later; the same bytes on every run

A model file holds the weights ("params.NAME"), tokens and targets (B, T), logits (B*T, V), the mean loss in nats, its
gradients ("grads.NAME"), the loss after each of ten AdamW steps on the same batch, and "adamw", the step's numbers
[lr, beta1, beta2, eps, weight_decay]. NAME is the path of stlm's `visit`; a target of -1 does not count.

optimizers.safetensors holds tensors ("params.NAME"), three rounds of gradients ("grads.ROUND.NAME"), and the tensors
after each round of AdamW ("adamw.ROUND.NAME") and Muon ("muon.ROUND.NAME"), with their numbers.
"""
import json
import math
import pathlib
import struct

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent


def write_safetensors(name, tensors):
    """Data in the order of `tensors`, after a header padded to a multiple of 8 bytes."""
    types = {torch.float64: "F64", torch.int32: "I32"}
    header, data = {}, b""
    for key, tensor in sorted(tensors.items(), key=lambda item: (item[1].dtype != torch.float64, item[0])):
        raw = tensor.detach().contiguous().numpy().tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[key] = {"dtype": types[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (FOLDER / name).write_bytes(struct.pack("<Q", len(text)) + text + data)


# ---------------------------------------------------------------------------------------------------------- models


class Family:
    """A pre-norm transformer; a family of models is this with other values."""

    vocabulary, dim, layers, heads, kv_heads, head_size, ffn = 19, 16, 2, 4, 2, 6, 24
    batch, tokens = 2, 7
    norm = "rms"  # "layer", "none"
    head_norm = None  # as norm, or another
    bias = False  # of the linear layers, and of LayerNorm
    position = "rotary"  # "rotary_half_split", "learned", "sinusoidal", "alibi"; or several
    max_tokens = 0  # of learned positions
    causal = True
    window = None  # of keys at most this many tokens away
    activation = "swiglu"  # "gelu", "relu_squared"
    ffn_sharing = "owned"  # "all", "interior" (layers 2 to L - 2), "cyclic" (layers i and i + 2)
    out_sharing = "owned"  # of attention's output projection
    lora_rank = 0  # > 0: layers that share a feed-forward layer add low-rank terms of their own
    lora_alpha = None  # the terms are multiplied by alpha / rank; None: by 1
    lora_bias = False
    experts = 0  # > 0: the linear layers of the feed-forward layer are gated mixtures of terms of lora_rank
    one_gate = False  # for a sequence, of its last token
    tied = True
    head_bias = False
    auxiliary = 0  # loss beside the cross-entropy, set in `logits`

    def batch_of(self):
        """Tokens, targets, and what else the file is to hold."""
        tokens = torch.randint(self.vocabulary, (self.batch, self.tokens))
        targets = torch.randint(self.vocabulary, (self.batch, self.tokens))
        targets[-1, -1] = -1
        return tokens, targets, {}

    def ffn_shapes(self, path, layer):
        out = {}
        ends = [("gate", self.dim, self.ffn)] if self.activation == "swiglu" else []
        for part, inputs, outputs in ends + [("up", self.dim, self.ffn), ("down", self.ffn, self.dim)]:
            name = path + part
            if self.owner(self.ffn_sharing, layer) == layer:
                out.update(linear_shapes(self, name, inputs, outputs))
                if self.experts:
                    out[name + ".mixture.gate"] = [self.experts, inputs]
                    out[name + ".mixture.u"] = [self.experts * self.lora_rank, inputs]
                    out[name + ".mixture.v"] = [outputs, self.experts * self.lora_rank]
            if self.has_lora(layer):
                out[name + ".lora_a"] = [self.lora_rank, inputs]
                out[name + ".lora_b"] = [outputs, self.lora_rank]
                if self.lora_bias:
                    out[name + ".lora_a_bias"] = [self.lora_rank]
                    out[name + ".lora_b_bias"] = [outputs]
        return out

    def feed_forward(self, p, path, layer, x):
        def part(name, x):
            return linear(self, p, path + name, x, f"core.{self.owner(self.ffn_sharing, layer)}.ffn.{name}")

        if self.activation == "swiglu":
            return part("down", F.silu(part("gate", x)) * part("up", x))
        function = {"gelu": F.gelu, "relu_squared": lambda x: F.relu(x).square()}[self.activation]
        return part("down", function(part("up", x)))

    @classmethod
    def owner(cls, sharing, layer):
        if sharing == "interior":
            return 2 if 2 <= layer < cls.layers - 1 else layer
        return {"owned": layer, "all": 0, "cyclic": layer % 2}[sharing]

    @classmethod
    def has_lora(cls, layer):
        owners = [cls.owner(cls.ffn_sharing, i) for i in range(cls.layers)]
        return cls.lora_rank > 0 and owners.count(owners[layer]) > 1 and cls.experts == 0

    @classmethod
    def lora_scale(cls):
        return 1 if cls.lora_alpha is None else cls.lora_alpha / cls.lora_rank


class GqaRopeSwigluTied(Family):
    pass


class WindowedAlibi(Family):
    """Six heads: slopes of a number that is no power of two."""

    heads, kv_heads, position, window = 6, 3, "alibi", 3


class LayerNormLearnedGeluUntied(Family):
    vocabulary, dim, heads, kv_heads, head_size, ffn = 17, 12, 3, 3, 4, 20
    batch, tokens, max_tokens = 3, 5, 6
    norm, bias, position, activation, tied = "layer", True, "learned", "gelu", False


class MqaHalfSplitSharedLora(Family):
    kv_heads, norm, position = 1, "layer", "sinusoidal rotary_half_split"
    causal, activation, ffn_sharing, lora_rank = False, "relu_squared", "all", 2


class Tiny(Family):
    vocabulary, dim, head_size, ffn = 13, 8, 4, 12
    batch, tokens = 2, 6


class FfnSharing(Tiny):
    layers, ffn_sharing = 3, "all"


class InteriorBiasedLora(Tiny):
    layers, ffn_sharing, lora_rank, lora_bias = 5, "interior", 2, True


class CyclicScaledLora(Tiny):
    layers, ffn_sharing, lora_rank, lora_alpha = 4, "cyclic", 2, 1


class SharedOutputNoNorms(Tiny):
    layers, ffn_sharing, out_sharing = 3, "all", "all"
    norm, head_norm, bias, activation, head_bias = "none", "rms", True, "gelu", True


class SharedLoraMixture(Tiny):
    layers, ffn_sharing, experts, lora_rank, lora_alpha = 2, "all", 3, 2, 1


class OneGateLoraMixture(SharedLoraMixture):
    one_gate, causal = True, False


def linear_shapes(c, path, inputs, outputs):
    out = {path + ".weight": [outputs, inputs]}
    return {**out, path + ".bias": [outputs]} if c.bias else out


def shapes(c):
    """Name -> shape, as stlm's `visit` lists them."""
    def norm(path, kind=c.norm):
        out = {path + ".weight": [c.dim]} if kind != "none" else {}
        return {**out, path + ".bias": [c.dim]} if kind == "layer" and c.bias else out

    queries, keys = c.heads * c.head_size, c.kv_heads * c.head_size
    out = {"embedding.weight": [c.vocabulary, c.dim]}
    if "learned" in c.position:
        out["embedding.position.weight"] = [c.max_tokens, c.dim]
    for layer in range(c.layers):
        path = f"core.{layer}."
        out.update(norm(path + "attention_norm"))
        out.update(linear_shapes(c, path + "attention.qkv", c.dim, queries + 2 * keys))
        if c.owner(c.out_sharing, layer) == layer:
            out.update(linear_shapes(c, path + "attention.out", queries, c.dim))
        out.update(norm(path + "ffn_norm"))
        out.update(c.ffn_shapes(path + "ffn.", layer))
    out.update(norm("head.norm", c.head_norm or c.norm))
    if not c.tied:
        out["head.weight"] = [c.vocabulary, c.dim]
    if c.head_bias:
        out["head.bias"] = [c.vocabulary]
    return out


def first_values(c, shapes=shapes):
    """Numbers that keep activations near one, and nothing at a value that could hide an error (0 or 1)."""
    values = {}
    for name, shape in shapes(c).items():
        noise = torch.randn(shape)
        if len(shape) == 2:
            values[name] = noise * (0.5 if "embedding" in name else shape[1] ** -0.5)
        else:
            values[name] = 0.2 * noise + (1 if name.endswith("norm.weight") else 0)
    return {name: value.requires_grad_() for name, value in values.items()}


def norm(c, p, path, x):
    if path + ".weight" not in p:
        return x
    if c.norm == "layer":
        return F.layer_norm(x, (c.dim,), p[path + ".weight"], p.get(path + ".bias"), eps=1e-5)
    return x / torch.sqrt(x.square().mean(-1, keepdim=True) + 1e-6) * p[path + ".weight"]


def linear(c, p, path, x, owner=None):
    """`owner`: the path of the layer whose tensors this one uses."""
    owner = owner or path
    weight, bias = p[owner + ".weight"], p.get(owner + ".bias")
    if owner + ".mixture.gate" in p:  # by its definition, with a dense matrix for each expert
        gates = F.linear(x[:, -1:] if c.one_gate else x, p[owner + ".mixture.gate"]).softmax(-1)
        u = p[owner + ".mixture.u"].unflatten(0, (c.experts, c.lora_rank))
        v = p[owner + ".mixture.v"].unflatten(1, (c.experts, c.lora_rank))
        weights = (weight + c.lora_scale() * v[:, e] @ u[e] for e in range(c.experts))
        return sum(gates[..., e, None] * F.linear(x, w) for e, w in enumerate(weights))
    y = F.linear(x, weight, bias)
    if path + ".lora_a" in p:
        low = F.linear(x, p[path + ".lora_a"], p.get(path + ".lora_a_bias"))
        y = y + c.lora_scale() * F.linear(low, p[path + ".lora_b"], p.get(path + ".lora_b_bias"))
    return y


def rotate(c, x):
    """x (B, H, T, D): pair i at position t turns by t * 10000^(-2i/D)."""
    half = c.head_size // 2
    theta = 10000.0 ** (-2 * torch.arange(half) / c.head_size)
    turn = torch.exp(1j * torch.outer(torch.arange(c.tokens, dtype=torch.float64), theta))
    if "half_split" in c.position:
        z = torch.complex(x[..., :half], x[..., half:]) * turn
        return torch.cat([z.real, z.imag], -1)
    z = torch.complex(x[..., 0::2], x[..., 1::2]) * turn
    return torch.stack([z.real, z.imag], -1).flatten(-2)


def alibi_slopes(heads):
    """2^(-8 (h + 1) / H) of a power of two H; else those of the power of two below, then every other of twice as many."""
    below = 2 ** int(math.log2(heads))
    slopes = [2 ** (-8 * (h + 1) / below) for h in range(below)]
    return torch.tensor(slopes + [2 ** (-8 * (h + 1) / (2 * below)) for h in range(0, 2 * (heads - below), 2)])


def attention(c, p, path, x, owner=None):
    """`owner`: the path of the layer whose output projection this one uses."""
    qkv = linear(c, p, path + ".qkv", x)
    widths = [heads * c.head_size for heads in (c.heads, c.kv_heads, c.kv_heads)]
    q, k, v = (part.unflatten(-1, (-1, c.head_size)).transpose(1, 2) for part in qkv.split(widths, -1))
    if "rotary" in c.position:
        q, k = rotate(c, q), rotate(c, k)
    k, v = (part.repeat_interleave(c.heads // c.kv_heads, 1) for part in (k, v))
    scores = q @ k.transpose(-1, -2) / math.sqrt(c.head_size)
    distance = torch.arange(c.tokens)[:, None] - torch.arange(c.tokens)
    if "alibi" in c.position:
        scores = scores - alibi_slopes(c.heads)[:, None, None] * distance.abs()
    if c.causal:
        scores = scores.masked_fill(distance < 0, -math.inf)
    if c.window:
        scores = scores.masked_fill(distance.abs() > c.window, -math.inf)
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).flatten(-2)
    return linear(c, p, path + ".out", mixed, (owner or path) + ".out")


def logits(c, p, tokens):
    c.auxiliary = 0
    x = p["embedding.weight"][tokens]
    if "learned" in c.position:
        x = x + p["embedding.position.weight"][: c.tokens]
    if "sinusoidal" in c.position:
        w = 10000.0 ** (-2 * torch.arange(c.dim // 2) / c.dim)
        angle = torch.outer(torch.arange(c.tokens, dtype=torch.float64), w)
        x = x + torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)
    for layer in range(c.layers):
        path = f"core.{layer}."
        owner = f"core.{c.owner(c.out_sharing, layer)}.attention"
        x = x + attention(c, p, path + "attention", norm(c, p, path + "attention_norm", x), owner)
        x = x + c.feed_forward(p, path + "ffn.", layer, norm(c, p, path + "ffn_norm", x))
    weight = p["embedding.weight" if c.tied else "head.weight"]
    return F.linear(norm(c, p, "head.norm", x), weight, p.get("head.bias")).flatten(0, 1)


def make_model(c, name, seed):
    torch.manual_seed(seed)
    p = first_values(c)
    tokens, targets, more = c.batch_of()

    def loss():
        return F.cross_entropy(logits(c, p, tokens), targets.flatten(), ignore_index=-1) + c.auxiliary

    start = loss()
    start.backward()
    out = {"params." + key: value.clone() for key, value in p.items()}
    out.update({"grads." + key: value.grad.clone() for key, value in p.items()})
    out.update(tokens=tokens.int(), targets=targets.int(), logits=logits(c, p, tokens), loss=start[None], **more)

    out["adamw"] = torch.tensor([1e-2, 0.9, 0.95, 1e-8, 0.1])
    optimizer = adamw(p.values(), *out["adamw"].tolist())
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        losses.append(loss().item())
    out["losses"] = torch.tensor(losses)
    write_safetensors(name, out)


# ------------------------------------------------------------------------------------------------------ optimisers


def adamw(params, lr, beta1, beta2, eps, weight_decay):
    """Decay on tensors of rank 2 and more only."""
    params = list(params)
    groups = [{"params": [p for p in params if p.dim() >= 2], "weight_decay": weight_decay},
              {"params": [p for p in params if p.dim() < 2], "weight_decay": 0}]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=lr, betas=(beta1, beta2), eps=eps)


def orthogonalised(x):
    """Five Newton-Schulz steps towards the nearest semi-orthogonal matrix."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


class Muon:
    """m = mu m + g,  u = g + mu m,  w = (1 - lr decay) w - lr sqrt(max(1, rows/cols)) orthogonalised(u)"""

    def __init__(self, matrix, parts, lr, momentum, weight_decay):
        self.matrix, self.parts, self.lr, self.mu, self.decay = matrix, parts, lr, momentum, weight_decay
        self.m = torch.zeros_like(matrix)

    def step(self):
        g = self.matrix.grad
        self.m = self.mu * self.m + g
        for w, u in zip(self.matrix.data.split(self.parts), (g + self.mu * self.m).split(self.parts)):
            scale = max(1, w.shape[0] / w.shape[1]) ** 0.5
            w.mul_(1 - self.lr * self.decay).sub_(self.lr * scale * orthogonalised(u))


def make_optimizers(seed):
    torch.manual_seed(seed)
    shapes = {"wide": [5, 9], "tall": [9, 5], "square": [6, 6], "stacked": [8, 6], "table": [7, 5], "positions": [3, 5],
              "vector": [9]}
    matrices = {"wide": [5], "tall": [9], "square": [6], "stacked": [4, 2, 2]}  # and the rows of their parts
    start = {name: torch.randn(shape) for name, shape in shapes.items()}
    rounds = [{name: torch.randn(shape) for name, shape in shapes.items()} for _ in range(3)]
    rounds[0]["table"][2] = 0  # a row that no token of the batch used
    out = {"params." + name: value for name, value in start.items()}
    out["adamw"] = torch.tensor([1e-2, 0.9, 0.95, 1e-8, 0.1])
    out["muon"] = torch.tensor([0.02, 0.95, 0.05])  # lr, momentum, weight_decay; "adamw" for the other tensors

    def run(prefix, make):
        p = {name: value.clone().requires_grad_() for name, value in start.items()}
        optimizers = make(p)
        for number, grads in enumerate(rounds):
            for name, value in p.items():
                value.grad = grads[name].clone()
            for optimizer in optimizers:
                optimizer.step()
            out.update({f"grads.{number}.{name}": value for name, value in grads.items()})
            out.update({f"{prefix}.{number}.{name}": value.detach().clone() for name, value in p.items()})

    rest = out["adamw"].tolist()
    run("adamw", lambda p: [adamw(p.values(), *rest)])
    run("muon", lambda p: [Muon(p[name], parts, *out["muon"].tolist()) for name, parts in matrices.items()]
        + [adamw([p[name] for name in p if name not in matrices], *rest)])
    write_safetensors("optimizers.safetensors", out)


if __name__ == "__main__":
    make_model(GqaRopeSwigluTied(), "gqa_rope_swiglu_tied.safetensors", 1)
    make_model(LayerNormLearnedGeluUntied(), "layer_norm_learned_gelu_untied.safetensors", 2)
    make_model(MqaHalfSplitSharedLora(), "mqa_half_split_shared_lora.safetensors", 3)
    make_optimizers(4)
    make_model(FfnSharing(), "ffn_sharing.safetensors", 5)
    make_model(InteriorBiasedLora(), "interior_biased_lora.safetensors", 12)  # with 6, float errs in a small gradient's sign
    make_model(CyclicScaledLora(), "cyclic_scaled_lora.safetensors", 7)
    make_model(SharedOutputNoNorms(), "shared_output_no_norms.safetensors", 8)
    make_model(SharedLoraMixture(), "shared_lora_mixture.safetensors", 9)
    make_model(WindowedAlibi(), "windowed_alibi.safetensors", 10)
    make_model(OneGateLoraMixture(), "one_gate_lora_mixture.safetensors", 11)
