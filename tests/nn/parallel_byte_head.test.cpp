#include <stlm/nn/parallel_byte_head.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "support/planned.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// A head as a model with only its own parameters.
template <class Head>
struct Alone {
  template <class T>
  using Params = typename Head::template Params<T>;
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Head::visit(v, path, p, Empty{});
  }
};

/// A small head after a forward pass from random states of two patches.
template <class Policy>
struct Run {
  using Head = ParallelByteHead<5, 4, 3, Policy, 1, 2>;
  Context<ReferenceBackend> ctx;
  Parameters<Alone<Head>, ReferenceBackend, double> params{ctx};
  Planned<Head> planned{{1, 2}};
  std::vector<double> x = std::vector<double>(10);

  explicit Run(const std::vector<Token>& next) {
    fill(params.flat(), {1, 1}, 0.5);
    fill(x, {2, 2});
    Head::forward(ctx, params.tree(), {1, 2}, View<const double, dynamic, 5>(x.data(), 2),
                  View<const Token, dynamic, dynamic>(next.data(), 1, 6), planned.cache);
  }
  std::vector<Token> targets() const { return {planned.cache.targets.begin(), planned.cache.targets.end()}; }
};

}  // namespace

// The published heads: projection, seven blocks, positions, output; ours adds a norm.
static_assert(num_params<Alone<ParallelByteHead<768, 128, 12, ReferenceQuirks>>> == 2'592'256);
static_assert(num_params<Alone<ParallelByteHead<512, 128, 12, ReferenceQuirks>>> == 2'199'040);
static_assert(num_params<Alone<ParallelByteHead<768>>> == 2'592'256 + 128);

TEST_CASE("ParallelByteHead: its contract", "[nn][parallel_byte_head]") {
  using Head = ParallelByteHead<16, 8, 4>;
  STATIC_REQUIRE(Head::parallel);
  STATIC_REQUIRE(Head::emits_end);
  STATIC_REQUIRE(Head::first_patch == 1);
  STATIC_REQUIRE(Head::ignore == -1);
  STATIC_REQUIRE(ParallelByteHead<16, 8, 4, ReferenceQuirks>::ignore == 257);
  const std::vector<Token> ids = {1, 256, 256, 256, 2, 3, 4, 5};
  CHECK(Head::rows_predicted({{ids.data(), 2, 4}, 256, true}) == 8);  // all slots: fewer rows would tell the length
}

TEMPLATE_TEST_CASE("ParallelByteHead: z + P, or with the reference's faults 2 z + P and no norm", "[nn][parallel_byte_head]",
                   CorrectBytes, ReferenceQuirks) {
  const Run<TestType> run({65, 256, 256, 66, 67, 68});
  const auto& p = run.params.tree();
  const auto& cache = run.planned.cache;
  for (Index row = 0; row < 6; ++row) {
    double squares = 0;
    for (Index c = 0; c < 4; ++c) {
      double z = 0;
      for (Index i = 0; i < 5; ++i) z += p.project.weight(row % 3 * 4 + c, i) * run.x[static_cast<std::size_t>(row / 3 * 5 + i)];
      CHECK(cache.z(row, c) == Approx((TestType::positions_twice ? 2 : 1) * z + p.position(row % 3, c)).epsilon(1e-13));
      squares += cache.last(row, c) * cache.last(row, c);
    }
    for (Index id = 0; id < 258; ++id) {
      double logit = 0;
      for (Index c = 0; c < 4; ++c) {
        double normed = cache.last(row, c);
        if constexpr (TestType::final_norm) normed *= p.norm.gain(c) / std::sqrt(squares / 4 + 1e-6);
        logit += p.weight(id, c) * normed;
      }
      REQUIRE(cache.logits(row, id) == Approx(logit).margin(1e-13));
    }
  }
}

TEST_CASE("ParallelByteHead: a patch has one end, a full or empty one none; the reference predicts pads", "[nn][parallel_byte_head]") {
  CHECK(Run<CorrectBytes>({65, 256, 256, 66, 67, 68}).targets() == std::vector<Token>{65, 256, -1, 66, 67, 68});
  CHECK(Run<CorrectBytes>({256, 256, 256, 257, 256, 256}).targets() == std::vector<Token>{-1, -1, -1, 257, 256, -1});
  CHECK(Run<ReferenceQuirks>({65, 256, 256, 66, 67, 68}).targets() == std::vector<Token>{65, 256, 256, 66, 67, 68});
  CHECK(Run<ReferenceQuirks>({256, 256, 256, 66, 67, 257}).targets() == std::vector<Token>{257, 257, 257, 66, 67, 257});
}
