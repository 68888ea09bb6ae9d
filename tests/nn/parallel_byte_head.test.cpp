#include <stlm/nn/parallel_byte_head.hpp>

#include <stlm/core/parameter.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

/// A head as a model: its own parameters alone.
template <class Head>
struct Alone {
  template <class T>
  using Params = typename Head::template Params<T>;
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Head::visit(v, path, p, Empty{});
  }
};

}  // namespace

// The published heads: projection, seven blocks, positions, output; ours has a norm more.
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
  CHECK(Head::rows_predicted({{ids.data(), 2, 4}, 256, true}) == 8);  // a row less would tell the length
}
