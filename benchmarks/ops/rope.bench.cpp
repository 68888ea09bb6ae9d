// Rotary positions for the queries of model b inside the packed rows [Q | K | V]. Plain Eigen reads a table of all rotations.
#include <complex>

#include <stlm/ops/rope.hpp>

#include "../support/numbers.hpp"

namespace {

struct Turned {
  static constexpr bench::Index batch = 8, tokens = 256, heads = 6, size = 64, width = 3 * heads * size;
  bench::Numbers qkv{batch * tokens, width};
  Eigen::ArrayXXcf turns{size / 2, tokens};

  Turned() {
    for (bench::Index t = 0; t < tokens; ++t)
      for (bench::Index i = 0; i < size / 2; ++i)
        turns(i, t) = std::polar(1.0F, static_cast<float>(t) * std::pow(10000.0F, -2 * static_cast<float>(i) / size));
  }
  template <stlm::RopePairs Pairs>
  void ours(bench::Context& ctx) const {
    const stlm::HeadsView<float> queries{qkv.data(), heads, size, tokens * width, width};
    stlm::ops::rope(ctx, queries, {.batch = batch, .tokens = tokens, .pairs = Pairs});
  }
  /// Calls f(head, the rotations of its pairs) for each head of each token.
  template <class F>
  void each(const F& f) const {
    for (bench::Index n = 0; n < batch * tokens; ++n)
      for (bench::Index h = 0; h < heads; ++h) f(qkv.data() + n * width + h * size, turns.col(n % tokens));
  }
};

const bench::Suite turns([] {
  using bench::Context;
  constexpr double bytes = 8.0 * Turned::batch * Turned::tokens * Turned::heads * Turned::size;
  bench::add(
      "rope/adjacent/2048x6x64", {.bytes = bytes, .moves = bench::Moves::kUpdate}, [] { return Turned(); },
      [](Turned& d, Context& ctx) { d.ours<stlm::RopePairs::kAdjacent>(ctx); },
      [](Turned& d) {
        d.each([](float* head, const auto& turn) {
          Eigen::Map<Eigen::ArrayXcf>(reinterpret_cast<std::complex<float>*>(head), Turned::size / 2) *= turn;
        });
      });
  bench::add(
      "rope/half_split/2048x6x64", {.bytes = bytes, .moves = bench::Moves::kUpdate}, [] { return Turned(); },
      [](Turned& d, Context& ctx) { d.ours<stlm::RopePairs::kHalfSplit>(ctx); },
      [](Turned& d) {
        d.each([](float* head, const auto& turn) {
          constexpr int half = Turned::size / 2;
          Eigen::Map<Eigen::Array<float, half, 1>> first(head), second(head + half);
          const Eigen::Array<float, half, 1> before = first;
          first = before * turn.real() - second * turn.imag();
          second = before * turn.imag() + second * turn.real();
        });
      });
});

}  // namespace
