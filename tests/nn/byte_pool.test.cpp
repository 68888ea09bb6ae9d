#include <stlm/nn/byte_pool.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "support/planned.hpp"

using namespace stlm;
using namespace stlm::test;

// The published pools.
static_assert(num_params<BytePool<768, 128, 12, ReferenceQuirks>> == 3'182'080);
static_assert(num_params<BytePool<512, 128, 12, ReferenceQuirks>> == 2'919'936);
static_assert(num_params<BytePool<768>> == 3'182'080);

namespace {

template <class Policy>
using Pool = BytePool<6, 4, 3, Policy, ByteBlocks<ByteBlock<4, 4, 5, 2, Policy>, ByteBlock<4, 6, 5, 2, Policy>>>;
using Slots = View<const Token, dynamic, dynamic>;

/// A pool after a forward pass over the patches in `slots`; `pad` fills the table's row of pads.
template <class P, class B>
struct Run {
  std::vector<Token> ids;
  Context<B> ctx{{.threads = 2}};
  Parameters<P, B, double> params{ctx}, grads{ctx};
  Pass pass;
  Planned<P> planned;
  Buffer<double> memory;
  View<double, dynamic, 6> y;

  explicit Run(std::vector<Token> slots, double pad = 0.25)
      : ids(std::move(slots)), pass(pass_of(ids)), planned(pass), memory(6 * pass.tokens), y(memory.data(), pass.tokens) {
    fill(params.flat(), {1, 1}, 0.5);
    std::fill_n(&params.tree().table(256, 0), 4, pad);
    std::fill(y.begin(), y.end(), std::nan(""));
    P::forward(ctx, params.tree(), pass, view(), y, planned.cache);
  }
  void backward(const std::vector<double>& dy) {
    P::backward(ctx, params.tree(), pass, view(), View<const double, dynamic, 6>(dy.data(), pass.tokens), planned.cache, grads.tree());
  }
  /// Element c of the last block's output for byte row r: W2 times the hidden row.
  double row(Index r, Index c) const {
    const auto& p = std::get<1>(params.tree().blocks.blocks);
    const auto& hidden = std::get<1>(planned.cache.blocks.blocks).block.hidden;
    double sum = 0;
    for (Index k = 0; k < 5; ++k) sum += p.down.weight(c, k) * hidden(r, k);
    return sum;
  }
  std::vector<double> vector(Index patch) const { return {&y(patch, 0), &y(patch, 0) + 6}; }

 private:
  Slots view() const { return {ids.data(), 1, std::ssize(ids)}; }
  static Pass pass_of(const std::vector<Token>& ids) {
    Pass pass{1, std::ssize(ids) / 3};
    pass.bytes_read = P::rows_read({{ids.data(), pass.tokens, 3}, P::pad});
    return pass;
  }
};

const std::vector<Token> slots = {65, 66, 67, 68, 256, 256, 256, 256, 256, 257, 69, 256};

}  // namespace

TEMPLATE_TEST_CASE("BytePool: packed patches are each what they are alone; an empty one is zero", "[nn][byte_pool]", ReferenceBackend,
                   EigenBackend) {
  using P = Pool<CorrectBytes>;
  const Run<P, TestType> all(slots);
  for (const Index p : {0, 1, 3}) {
    const auto begin = slots.begin() + 3 * p;
    CHECK(deviation(Run<P, TestType>({begin, begin + 3}).vector(0), all.vector(p)) < 1e-14);
  }
  CHECK(all.vector(2) == std::vector<double>(6));
}

TEST_CASE("BytePool: every byte has its place in its patch; a vector is the mean of the bytes there are", "[nn][byte_pool]") {
  const Run<Pool<CorrectBytes>, ReferenceBackend> run(slots);
  const auto& p = run.params.tree();
  const auto& cache = run.planned.cache;
  const std::vector<Token> bytes = {65, 66, 67, 68, 257, 69};
  const std::vector<Index> places = {0, 1, 2, 0, 0, 1};
  REQUIRE(cache.embedded.extent(0) == 6);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    for (Index c = 0; c < 4; ++c)
      CHECK(cache.embedded(static_cast<Index>(n), c) == p.table(bytes[n], c) + p.position(places[n], c));
  for (Index c = 0; c < 6; ++c) {
    CHECK(run.y(0, c) == Approx((run.row(0, c) + run.row(1, c) + run.row(2, c)) / 3).epsilon(1e-13));
    CHECK(run.y(1, c) == Approx(run.row(3, c)).epsilon(1e-13));
    CHECK(run.y(3, c) == Approx((run.row(4, c) + run.row(5, c)) / 2).epsilon(1e-13));
  }
}

TEST_CASE("BytePool: the reference reads pads and averages over all slots; without its faults nothing does", "[nn][byte_pool]") {
  const auto differ = [](auto pool, Index patch) {
    using R = Run<decltype(pool), ReferenceBackend>;
    return deviation(R(slots).vector(patch), R(slots, -0.25).vector(patch)) > 1e-6;
  };
  for (Index patch = 0; patch < 4; ++patch) {
    CHECK_FALSE(differ(Pool<CorrectBytes>{}, patch));
    CHECK(differ(Pool<ReferenceQuirks>{}, patch) == (patch > 0));  // the first patch is full
  }
  const Run<Pool<ReferenceQuirks>, ReferenceBackend> run(slots);
  REQUIRE(run.planned.cache.embedded.extent(0) == 12);
  for (Index p = 0; p < 4; ++p)
    for (Index c = 0; c < 6; ++c)
      CHECK(run.y(p, c) == Approx((run.row(3 * p, c) + run.row(3 * p + 1, c) + run.row(3 * p + 2, c)) / 3).epsilon(1e-13));
}

TEMPLATE_TEST_CASE("BytePool: nothing is learned from an empty patch", "[nn][byte_pool]", ReferenceBackend, EigenBackend) {
  const auto learned = [](Index patch) {
    Run<Pool<CorrectBytes>, TestType> run(slots);
    std::vector<double> dy(24);
    std::fill_n(dy.begin() + 6 * patch, 6, 1.0);
    run.backward(dy);
    return std::any_of(run.grads.flat().begin(), run.grads.flat().end(), [](double g) { return g != 0; });
  };
  CHECK(learned(1));
  CHECK_FALSE(learned(2));
}
