// The attention that each token receives (8 sequences of 256 tokens, 6 heads of 64), and the choice of the half of the tokens
// that receives most. The choice counts ranks, for which Eigen has no expression.
#include <stlm/ops/attention_pool.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, bench::Numbers;

struct Received {
  static constexpr Index batch = 8, tokens = 256, heads = 6, size = 64, width = heads * size;
  static constexpr stlm::ops::AttentionShape shape{batch, tokens, tokens, false};
  Numbers qkv{batch * tokens, 3 * width}, out{batch * tokens, width}, lse{batch * heads * tokens},
      scores{batch, tokens};
  stlm::Buffer<stlm::Token> picks{batch * tokens / 2};
  Numbers::Matrix probabilities;

  stlm::HeadsView<float> part(Index i) const {
    return {qkv.data() + i * width, heads, size, tokens * 3 * width, 3 * width};
  }
  void attend(Context& ctx) const {
    const stlm::HeadsView<float> mixed{out.data(), heads, size, tokens * width, width};
    stlm::ops::attention_forward(ctx, part(0), part(1), part(2), mixed, lse.flat(), shape);
  }
  void plain() {
    using Head = Eigen::Map<Numbers::Matrix, 0, Eigen::OuterStride<>>;
    const float scale = 1 / std::sqrt(static_cast<float>(size));
    scores.array().setZero();
    for (Index b = 0; b < batch; ++b)
      for (Index h = 0; h < heads; ++h) {
        const Eigen::OuterStride<> stride(3 * width);
        const Head q(part(0)(b, 0, h), tokens, size, stride), k(part(1)(b, 0, h), tokens, size, stride);
        probabilities.noalias() = q * k.transpose();
        for (Index i = 0; i < tokens; ++i)
          scores.row(b) += (probabilities.row(i).transpose().array() * scale - lse[shape.row(heads, b, h, i)]).exp();
      }
    scores.array() /= static_cast<float>(heads * tokens);
  }
};

const bench::Suite received([] {
  constexpr double pairs = static_cast<double>(Received::batch * Received::heads * Received::tokens * Received::tokens);
  constexpr double rows = Received::batch * Received::tokens;
  const auto make = [] {
    Received data;
    Context ctx;
    data.attend(ctx);
    return data;
  };
  bench::add(
      "attention_pool/received/8x256", {.flops = 2 * Received::size * pairs, .bytes = 8 * rows * Received::width}, make,
      [](Received& d, Context& ctx) {
        stlm::ops::attention_received(ctx, d.part(0), d.part(1), d.lse.flat(), d.scores.view());
      },
      [](Received& d) { d.plain(); });
  bench::add("attention_pool/keep_highest/8x256", {.bytes = 6 * rows}, make, [](Received& d, Context& ctx) {
    stlm::ops::keep_highest(ctx, d.scores.view(), false, {d.picks.data(), d.batch, d.tokens / 2});
  });
});

}  // namespace
