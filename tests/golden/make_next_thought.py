#!/usr/bin/env python3
"""Makes next_thought.safetensors and next_thought_quirks.safetensors: two small next-thought models in PyTorch, float64.

    python3 tests/golden/make_next_thought.py        # PyTorch 1.13 or later; the same bytes on every run

Contents as in make_goldens.py, but for the batch: "questions" holds all questions one after another, "lengths" their
lengths, "answers" (B, A) the answers, padded with token 0, which does not count. The second file has what the reference
does: tokens kept in order of score, 2 x + position, questions padded to one length and not masked; besides an untied
head without norm, and the "conv" core.
"""
import torch
import torch.nn.functional as F

from make_goldens import Family, adamw, attention, first_values, linear, norm, write_safetensors


class Default(Family):
    vocabulary, dim, heads, kv_heads, head_size, ffn = 19, 12, 3, 1, 4, 20
    max_tokens, prefixes, decoder_layers = 10, 3, 2
    pools, pool_heads = [(18, 300), (24, 400)], 3  # width, tokens dropped of 1000
    lengths, answer_tokens = [6, 6, 9], 5
    by_score = twice = padded = False
    head_norm = tied = True
    conv = []  # widths of the "conv" core; none: the MLP


class Quirks(Default):
    by_score = twice = padded = True
    head_norm = tied = False
    conv = [4, 12, 3]


def shapes(c):
    """Name -> shape, as stlm's `visit` lists them."""
    def block(path):
        queries, keys = c.heads * c.head_size, c.kv_heads * c.head_size
        return {path + "attention_norm.weight": [c.dim], path + "attention.qkv.weight": [queries + 2 * keys, c.dim],
                path + "attention.out.weight": [c.dim, queries], path + "ffn_norm.weight": [c.dim],
                path + "ffn.gate.weight": [c.ffn, c.dim], path + "ffn.up.weight": [c.ffn, c.dim],
                path + "ffn.down.weight": [c.dim, c.ffn]}

    def biased(path, inputs, outputs):
        return {path + ".weight": [outputs, inputs], path + ".bias": [outputs]}

    out = {"encoder.embedding.weight": [c.vocabulary, c.dim], "encoder.embedding.position.weight": [c.max_tokens, c.dim]}
    out.update(block("encoder.core.0."))
    width = c.dim
    for i, (wider, _) in enumerate(c.pools):
        path = f"encoder.pool.{i}."
        for part in [biased(path + "attention.qkv", width, 3 * width), biased(path + "attention.out", width, width),
                     {path + "norm.weight": [width], path + "norm.bias": [width]},
                     biased(path + "up", width, 4 * width), biased(path + "down", 4 * width, wider),
                     {path + "out_norm.weight": [wider], path + "out_norm.bias": [wider]}]:
            out.update(part)
        width = wider
    for i, w in enumerate(c.conv):
        out.update(biased(f"core.{i}", w, w))
    if not c.conv:
        out.update({**biased("core.up", width, width), **biased("core.down", width, width)})
    out["decoder.prefix.weight"] = [c.prefixes * c.dim, width]
    for layer in range(c.decoder_layers):
        out.update(block(f"decoder.core.{layer}."))
    if c.head_norm:
        out["decoder.head.norm.weight"] = [c.dim]
    if not c.tied:
        out["decoder.head.weight"] = [c.vocabulary, c.dim]
    return out


def block(c, p, path, x, causal):
    class Here(c):  # attention of make_goldens.py takes mask and length from the family
        pass
    Here.causal, Here.tokens = causal, x.shape[1]
    x = x + attention(Here, p, path + "attention", norm(c, p, path + "attention_norm", x))
    h = norm(c, p, path + "ffn_norm", x)
    return x + linear(c, p, path + "ffn.down", F.silu(linear(c, p, path + "ffn.gate", h)) * linear(c, p, path + "ffn.up", h))


def pool(c, p, path, x, drop):
    width, tokens = x.shape[2], x.shape[1]
    text_first = x.transpose(0, 1)
    o, probabilities = F.multi_head_attention_forward(
        text_first, text_first, text_first, width, c.pool_heads, p[path + "attention.qkv.weight"],
        p[path + "attention.qkv.bias"], None, None, False, 0.0, p[path + "attention.out.weight"],
        p[path + "attention.out.bias"], need_weights=True, average_attn_weights=False)
    scores = probabilities.mean((1, 2))  # (B, H, T, T): over heads and queries
    keep = max(1, tokens * (1000 - drop) // 1000)
    ordered, picks = scores.sort(descending=True)
    if keep < tokens:
        gap = (ordered[:, keep - 1] - ordered[:, keep]).min()
        assert gap > 1e-5, "scores so near each other that rounding could decide"
    picks = picks[:, :keep] if c.by_score else picks[:, :keep].sort().values
    x = F.layer_norm(x + o.transpose(0, 1), (width,), p[path + "norm.weight"], p[path + "norm.bias"])
    x = x.gather(1, picks.unsqueeze(-1).expand(-1, -1, width))
    y = linear(c, p, path + "down", F.gelu(linear(c, p, path + "up", x)))
    return F.layer_norm(y, (y.shape[2],), p[path + "out_norm.weight"], p[path + "out_norm.bias"])


def encode(c, p, questions):
    """questions (B, T), all tokens real -> z (B, latent)"""
    x = p["encoder.embedding.weight"][questions] + p["encoder.embedding.position.weight"][: questions.shape[1]]
    x = block(c, p, "encoder.core.0.", x, causal=False)
    for i, (_, drop) in enumerate(c.pools):
        x = pool(c, p, f"encoder.pool.{i}.", x, drop)
    return x.mean(1)


def core(c, p, z):
    for i, width in enumerate(c.conv):
        z = linear(c, p, f"core.{i}", z.reshape(-1, width)).reshape(z.shape)
    return z if c.conv else linear(c, p, "core.down", F.relu(linear(c, p, "core.up", z)))


def logits(c, p, questions, answers):
    z = torch.cat([encode(c, p, question[None]) for question in questions])
    prefixes = linear(c, p, "decoder.prefix", core(c, p, z)).unflatten(-1, (c.prefixes, c.dim))
    given = answers[:, :-1]
    embedded = p["encoder.embedding.weight"][given]
    embedded = embedded * (2 if c.twice else 1) + p["encoder.embedding.position.weight"][: given.shape[1]]
    x = torch.cat([prefixes, embedded], 1)
    for layer in range(c.decoder_layers):
        x = block(c, p, f"decoder.core.{layer}.", x, causal=True)
    x = x[:, c.prefixes - 1:]
    if c.head_norm:
        x = norm(c, p, "decoder.head.norm", x)
    return F.linear(x, p["encoder.embedding.weight" if c.tied else "decoder.head.weight"]).flatten(0, 1)


def make(c, name, seed):
    torch.manual_seed(seed)
    p = first_values(c, shapes)
    questions = [torch.randint(1, c.vocabulary, (length,)) for length in c.lengths]
    if c.padded:
        questions = [F.pad(question, (0, max(c.lengths) - len(question))) for question in questions]
    answers = torch.randint(1, c.vocabulary, (len(questions), c.answer_tokens))
    answers[0, 2:] = 0
    answers[1, -1] = 0

    def loss():
        return F.cross_entropy(logits(c, p, questions, answers), answers.flatten(), ignore_index=0)

    start = loss()
    start.backward()
    out = {"params." + key: value.clone() for key, value in p.items()}
    out.update({"grads." + key: value.grad.clone() for key, value in p.items()})
    out.update(questions=torch.cat(questions).int(), lengths=torch.tensor([len(q) for q in questions]).int(),
               answers=answers.int(), logits=logits(c, p, questions, answers), loss=start[None])
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


if __name__ == "__main__":
    make(Default, "next_thought.safetensors", 5)
    make(Quirks, "next_thought_quirks.safetensors", 6)
