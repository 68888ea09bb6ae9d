// Softmax cross-entropy over bytes and over a large vocabulary. Forward reads the logits; backward turns them into their
// gradient in place; forward_backward does both in one pass over each row.
#include <stlm/ops/cross_entropy.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index;

struct Predicted {
  Index rows;
  bench::Numbers logits, losses, lse;
  std::vector<stlm::Token> targets;
  Predicted(Index rows_, Index vocabulary)
      : rows(rows_), logits(rows, vocabulary), losses(rows), lse(rows), targets(bench::tokens(rows, vocabulary)) {}
  Index target(Index n) const { return targets[static_cast<std::size_t>(n)]; }
};

void add_cross_entropy(Index rows, Index vocabulary) {
  const double size = static_cast<double>(rows * vocabulary);
  const auto make = [=] { return Predicted(rows, vocabulary); };
  bench::add(
      bench::sized("cross_entropy/forward", {rows, vocabulary}), {.bytes = 4 * size, .moves = bench::Moves::kRead},
      make,
      [](Predicted& d, Context& ctx) {
        auto sum = stlm::ops::cross_entropy_forward(ctx, d.logits.view(), bench::sequences(d.targets), -1,
                                                    d.losses.flat(), d.lse.flat());
        benchmark::DoNotOptimize(sum);
      },
      [](Predicted& d) {
        for (Index n = 0; n < d.rows; ++n) {
          const float top = d.logits.row(n).maxCoeff();
          d.lse[n] = top + std::log((d.logits.row(n) - top).exp().sum());
          d.losses[n] = d.lse[n] - d.logits.row(n)[d.target(n)];
        }
        benchmark::DoNotOptimize(d.losses.array().sum());
      });
  bench::add(
      bench::sized("cross_entropy/backward", {rows, vocabulary}), {.bytes = 8 * size, .moves = bench::Moves::kUpdate},
      make,
      [=](Predicted& d, Context& ctx) {
        stlm::ops::cross_entropy_backward(ctx, d.logits.view(), bench::sequences(d.targets), -1, d.lse.flat(),
                                          1 / static_cast<double>(rows));
      },
      [](Predicted& d) {
        const float scale = 1 / static_cast<float>(d.rows);
        for (Index n = 0; n < d.rows; ++n) {
          d.logits.row(n) = scale * (d.logits.row(n) - d.lse[n]).exp();
          d.logits.row(n)[d.target(n)] -= scale;
        }
      });
  bench::add(bench::sized("cross_entropy/forward_backward", {rows, vocabulary}),
             {.bytes = 8 * size, .moves = bench::Moves::kUpdate}, make,
             [scale = 1 / static_cast<double>(rows)](Predicted& d, Context& ctx) {
               auto sum = stlm::ops::cross_entropy_forward_backward(ctx, d.logits.view(), bench::sequences(d.targets), -1,
                                                                    d.losses.flat(), d.lse.flat(), scale);
               benchmark::DoNotOptimize(sum);
             });
}

const bench::Suite cross_entropies([] {
  add_cross_entropy(2048, 256);
  add_cross_entropy(256, 50257);
});

}  // namespace
