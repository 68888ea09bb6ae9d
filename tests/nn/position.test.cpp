#include <stlm/nn/position.hpp>

#include <stlm/backend/reference.hpp>
#include <stlm/nn/embedding.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(num_params<TokenEmbedding<10, 4>> == 40);
static_assert(num_params<TokenEmbedding<10, 4, LearnedPosition<7>>> == 40 + 28);
static_assert(num_params<TokenEmbedding<10, 4, SinusoidalPosition>> == 40);

namespace {

using Ctx = Context<ReferenceBackend>;

/// The score of a query at position t with a key at position s.
template <class Position>
double score(const std::vector<double>& query, const std::vector<double>& key, Index t, Index s) {
  Ctx ctx;
  std::vector<double> q = query, k = key;
  const auto size = static_cast<Index>(q.size());
  Position::rotate(ctx, HeadsView<double>{q.data(), 1, size, size, size}, Pass{1, 1, t}, false);
  Position::rotate(ctx, HeadsView<double>{k.data(), 1, size, size, size}, Pass{1, 1, s}, false);
  double sum = 0;
  for (std::size_t i = 0; i < q.size(); ++i) sum += q[i] * k[i];
  return sum;
}

}  // namespace

TEMPLATE_TEST_CASE("Rotary: scores depend on the distance alone", "[nn][position]", Rotary<>,
                   (Rotary<RopePairs::kHalfSplit>), (Rotary<RopePairs::kAdjacent, 500>)) {
  std::vector<double> q(8), k(8);
  fill(q, {1, 1});
  fill(k, {2, 2});
  CHECK(score<TestType>(q, k, 9, 4) == Approx(score<TestType>(q, k, 105, 100)).epsilon(1e-12));
  CHECK(std::abs(score<TestType>(q, k, 9, 4) - score<TestType>(q, k, 9, 5)) > 1e-3);
  CHECK(std::abs(score<TestType>(q, k, 9, 4) - score<TestType>(q, k, 4, 9)) > 1e-3);
  CHECK(score<NoPosition>(q, k, 9, 4) == score<NoPosition>(q, k, 4, 9));
}

TEST_CASE("Rotary: the two pairings and other bases are different rotations", "[nn][position]") {
  std::vector<double> q(8), k(8);
  fill(q, {1, 1});
  fill(k, {2, 2});
  const double adjacent = score<Rotary<>>(q, k, 3, 1);
  CHECK(std::abs(adjacent - score<Rotary<RopePairs::kHalfSplit>>(q, k, 3, 1)) > 1e-3);
  CHECK(std::abs(adjacent - score<Rotary<RopePairs::kAdjacent, 500>>(q, k, 3, 1)) > 1e-3);
}

TEST_CASE("LearnedPosition: adds its row, and refuses to run out of rows", "[nn][position]") {
  using Position = LearnedPosition<4>;
  Ctx ctx;
  std::vector<double> table(12), y(12);
  fill(table, {1, 1});
  const Position::Params<double, 3> p{View<double, 4, 3>(table.data())};
  Position::add(ctx, p, Pass{2, 2, 1}, View<double, dynamic, 3>(y.data(), 4));
  for (const std::size_t n : {0u, 1u, 2u, 3u})
    for (std::size_t c = 0; c < 3; ++c) CHECK(y[3 * n + c] == table[3 * (1 + n % 2) + c]);
  CHECK_THROWS_WITH(Position::add(ctx, p, Pass{1, 4, 1}, View<double, dynamic, 3>(y.data(), 4)),
                    "stlm::ops::add_positions: the table has 4 positions, 5 are needed; enlarge max_tokens or shorten the "
                    "sequence.");
}

TEST_CASE("SinusoidalPosition: sines and cosines of the position", "[nn][position]") {
  Ctx ctx;
  std::vector<double> y(2);
  SinusoidalPosition::add(ctx, Empty{}, Pass{1, 1, 3}, View<double, dynamic, 2>(y.data(), 1));
  CHECK(y[0] == Approx(std::sin(3.0)).epsilon(1e-15));
  CHECK(y[1] == Approx(std::cos(3.0)).epsilon(1e-15));
}

TEST_CASE("SinusoidalPosition: refuses packed sequences", "[nn][position]") {
  Ctx ctx;
  const std::vector<Index> offsets = {0, 1, 3};
  std::vector<double> y(6);
  const Pass packed = Pass{1, 1}.pack(2, 2, 3, {offsets.data(), 3});
  CHECK_THROWS_WITH(SinusoidalPosition::add(ctx, Empty{}, packed, View<double, dynamic, 2>(y.data(), 3)),
                    "stlm::SinusoidalPosition: packed sequences are not supported; use stlm::LearnedPosition.");
}
