// Embedding rows of 2048 tokens and their gradients; learned positions and sinusoids, added to these rows.
#include <stlm/ops/embedding.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index;

struct Embedded {
  Index length;
  bench::Numbers table, rows;
  std::vector<stlm::Token> ids;
  Embedded(Index count, Index length_, Index vocabulary, Index cols)
      : length(length_), table(vocabulary, cols), rows(count, cols), ids(bench::tokens(count, vocabulary)) {}
  /// Calls f(row, the table row of its id) for each token.
  template <class F>
  void each(const F& f) {
    for (std::size_t n = 0; n < ids.size(); ++n) f(rows.row(static_cast<Index>(n)), table.row(ids[n]));
  }
  /// Calls f(rows, the first rows of the table), both as matrices, for each sequence.
  template <class F>
  void each_sequence(const F& f) {
    for (Index n = 0; n < static_cast<Index>(ids.size()); n += length)
      f(rows.matrix().middleRows(n, length), table.matrix().topRows(length));
  }
};

void add_embedding(Index vocabulary, Index cols) {
  constexpr Index count = 2048, length = 256;
  const double size = static_cast<double>(count * cols);
  const double distinct = bench::distinct(bench::tokens(count, vocabulary)) * static_cast<double>(cols);
  const auto make = [=] { return Embedded(count, length, vocabulary, cols); };
  const auto name = [=](const char* op) { return bench::sized(std::string("embedding/") + op, {vocabulary, cols}); };

  bench::add(
      name("forward"), {.bytes = 4 * (size + distinct), .tokens = count}, make,
      [](Embedded& d, Context& ctx) {
        stlm::ops::embedding_forward(ctx, d.table.view(), bench::sequences(d.ids), d.rows.view());
      },
      [](Embedded& d) { d.each([](auto row, auto entry) { row = entry; }); });
  bench::add(
      name("backward"), {.bytes = 4 * (size + 2 * distinct), .tokens = count, .moves = bench::Moves::kUpdate}, make,
      [](Embedded& d, Context& ctx) {
        stlm::ops::embedding_backward(ctx, bench::sequences(d.ids), d.rows.view(), d.table.view());
      },
      [](Embedded& d) { d.each([](auto row, auto entry) { entry += row; }); });
  bench::add(
      name("add_positions"), {.bytes = 8 * size, .tokens = count, .moves = bench::Moves::kUpdate}, make,
      [](Embedded& d, Context& ctx) { stlm::ops::add_positions(ctx, d.table.view(), d.length, {}, d.rows.view()); },
      [](Embedded& d) { d.each_sequence([](auto rows, auto entries) { rows += entries; }); });
  bench::add(
      name("add_positions_backward"), {.bytes = 4 * size, .tokens = count, .moves = bench::Moves::kRead}, make,
      [](Embedded& d, Context& ctx) {
        stlm::ops::add_positions_backward(ctx, d.rows.view(), d.length, d.table.view());
      },
      [](Embedded& d) { d.each_sequence([](auto rows, auto entries) { entries += rows; }); });
  bench::add(name("add_sinusoids"), {.bytes = 8 * size, .tokens = count, .moves = bench::Moves::kUpdate}, make,
             [](Embedded& d, Context& ctx) { stlm::ops::add_sinusoids(ctx, d.length, {}, d.rows.view()); });
}

const bench::Suite embeddings([] {
  add_embedding(256, 384);
  add_embedding(50257, 512);
});

}  // namespace
