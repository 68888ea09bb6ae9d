// Reader: a model with its initial weights, in the scalar S, that reads tokens into a KV cache.
#pragma once

#include <algorithm>
#include <span>

#include "../../support/weights.hpp"
#include "work.hpp"

namespace compare {

/// Reads `count` tokens of each of `batch` sequences at a time, up to `capacity`.
template <class Config, class S>
class Reader {
 public:
  using Model = stlm::ByteModel<Config>;

  Reader(int threads, Index batch, Index count, Index capacity)
      : ctx_({.threads = threads, .seed = 1}),
        params_(drawn(ctx_)),
        weights_(ctx_, params_),
        acts_(ctx_, {.batch = batch, .tokens = count}) {
    memory_.allocate([&](stlm::Arena& arena) { Model::plan_decode(arena, state_, batch, capacity); });
  }

  /// Reads the tokens (B, count), which follow `position` earlier ones.
  void read(const Token* tokens, Index position) {
    const Index batch = acts_.pass().batch, count = acts_.pass().tokens;
    Model::decode(ctx_, weights_.tree(), stlm::Pass{batch, count, position}, {tokens, batch, count}, acts_.cache(),
                  state_);
  }
  /// The logits for the token after `row`, a row of the last read().
  std::span<const float> logits(Index row) const {
    return {&acts_.cache().head.logits(row, 0), static_cast<std::size_t>(Model::vocabulary)};
  }

 private:
  static stlm::Parameters<Model, Backend> drawn(stlm::Context<Backend>& ctx) {
    stlm::Parameters<Model, Backend> params(ctx);
    stlm::init(ctx, params);
    return params;
  }

  stlm::Context<Backend> ctx_;
  stlm::Parameters<Model, Backend> params_;
  bench::WeightsIn<Model, Backend, S> weights_;
  stlm::Activations<Model, Backend> acts_;
  stlm::PlannedMemory<Backend::memory_space> memory_;
  typename Model::template KvCache<float> state_{};
};

/// -log p(token), p being the softmax of the logits.
inline double nats(std::span<const float> logits, Token token) {
  const double top = double{*std::ranges::max_element(logits)};
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - top);
  return top + std::log(sum) - double{logits[static_cast<std::size_t>(token)]};
}

}  // namespace compare
