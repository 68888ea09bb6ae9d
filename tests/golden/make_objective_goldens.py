#!/usr/bin/env python3
"""Makes goldens of masked objectives, mixtures of experts and learned activations, as make_goldens.py does for the rest.

    python3 tests/golden/make_objective_goldens.py

The files are those of a model of make_goldens.py. A masked objective adds "text", "following" (B, T) and "key", from which
"tokens" and "targets" follow. With experts the loss includes the load balance.
"""
import torch
import torch.nn.functional as F

import make_goldens as base

MASK = 18  # the last token of the vocabulary


def uniform(word):
    """A word as a number in [0, 1)."""
    return (word >> 8) / 2**24


def philox(key, counter):
    """The four words of Philox4x32-10."""
    low, high = key
    a, b, c, d = counter & 0xFFFFFFFF, counter >> 32, 0, 0
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ low, q & 0xFFFFFFFF, (p >> 32) ^ d ^ high, p & 0xFFFFFFFF
        low, high = (low + 0x9E3779B9) & 0xFFFFFFFF, (high + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


class Masked(base.Family):
    causal, key, rate = False, (3, 4), 0.5  # a high rate, as the batch is small

    def batch_of(self):
        text, following = (torch.randint(MASK, (self.batch, self.tokens)) for _ in range(2))
        tokens, targets = text.clone(), torch.full_like(text, -1)
        for i in range(text.numel()):
            words = philox(self.key, i)
            if uniform(words[0]) < self.rate:
                self.treat(i, words, text.view(-1), following.view(-1), tokens.view(-1), targets.view(-1))
        more = {"text": text.int(), "following": following.int(), "key": torch.tensor(self.key).int()}
        return tokens, targets, more


class NextTokenMlm(Masked):
    def treat(self, i, words, text, following, tokens, targets):
        tokens[i], targets[i] = MASK, following[i]


class BertMlm(Masked):
    def treat(self, i, words, text, following, tokens, targets):
        targets[i] = text[i]
        if uniform(words[1]) < 0.8:
            tokens[i] = MASK
        elif uniform(words[1]) < 0.9:
            tokens[i] = ((words[2] << 32) + words[3]) % MASK


class Mixture(base.Family):
    """SwiGLU experts, two of four a row; every expert computes every row."""

    ffn, experts, chosen, balance, renormalize = 8, 4, 2, 0.5, False

    def ffn_shapes(self, path, layer):
        out = {path + "router.weight": [self.experts, self.dim]}
        for e in range(self.experts):
            for part, shape in [("gate", [self.ffn, self.dim]), ("up", [self.ffn, self.dim]), ("down", [self.dim, self.ffn])]:
                out[f"{path}experts.{e}.{part}.weight"] = shape
        return out

    def feed_forward(self, p, path, layer, x):
        def part(e, name, x):
            return F.linear(x, p[f"{path}experts.{e}.{name}.weight"])

        prob = F.linear(x, p[path + "router.weight"]).softmax(-1)
        kept = torch.zeros_like(prob).scatter(-1, prob.topk(self.chosen).indices, 1)
        results = [part(e, "down", F.silu(part(e, "gate", x)) * part(e, "up", x)) for e in range(self.experts)]
        mean, load = prob.flatten(0, 1).mean(0), kept.flatten(0, 1).mean(0) / self.chosen
        self.auxiliary = self.auxiliary + self.balance * self.experts * (mean * load).sum()
        weights = kept * prob
        if self.renormalize:
            weights = weights / weights.sum(-1, keepdim=True)
        return (torch.stack(results, -1) * weights[..., None, :]).sum(-1)


class RenormalizedMixture(Mixture):
    renormalize = True


class LearnedActivation(base.Family):
    """A plain layer whose activation is one small network for all layers."""

    def ffn_shapes(self, path, layer):
        own = {path + "up.weight": [self.ffn, self.dim], path + "down.weight": [self.dim, self.ffn]}
        small = {"w1": [10, 1], "b1": [10], "w2": [1, 10], "b2": [1]} if layer == 0 else {}
        return {**own, **{f"{path}activation.{name}": shape for name, shape in small.items()}}

    def feed_forward(self, p, path, layer, x):
        w1, b1, w2, b2 = (p["core.0.ffn.activation." + name] for name in ("w1", "b1", "w2", "b2"))
        hidden = F.linear(x, p[path + "up.weight"])[..., None]
        return F.linear(F.linear(F.relu(F.linear(hidden, w1, b1)), w2, b2)[..., 0], p[path + "down.weight"])


if __name__ == "__main__":
    base.make_model(NextTokenMlm(), "next_token_mlm.safetensors", 11)
    base.make_model(BertMlm(), "bert_mlm.safetensors", 12)
    base.make_model(Mixture(), "mixture_of_experts.safetensors", 13)
    base.make_model(LearnedActivation(), "learned_activation.safetensors", 14)
    base.make_model(RenormalizedMixture(), "renormalized_mixture.safetensors", 15)
