// StridePool and LinearByteHead: the fixed-stride model of the STLM system.
#include <stlm/nn/stride_pool.hpp>

#include <stlm/models/patch_model.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"
#include "support/patch_models.hpp"
#include "support/planned.hpp"

using namespace stlm;
using namespace stlm::test;

// The reference's sizes: 258 x H, positions of 4 * 512 bytes, and H -> 4 * 258.
static_assert(num_params<StridePool<512, 4, 512>> == 258 * 512 + 4 * 512 * 512);
static_assert(num_params<StridePatches> - num_params<StridePatches::Core> == (258 + 4 * 130) * 12 + 12 * 4 * 258);

TEST_CASE("StridePool: gradients of the whole model", "[nn][stride_pool][gradient]") {
  // Checking every number takes minutes under a sanitizer.
  check_gradients<WholePatches<StridePatches>>({2, 3}, 0, sanitized ? Derivatives::kAlongDirections : Derivatives::kAll);
}

TEST_CASE("StridePool: backends agree", "[nn][stride_pool][parity]") {
  check_backends<WholePatches<StridePatches>>(0.2);
}

TEST_CASE("StridePool: the mean of the bytes there are, each with the place it has in its sequence", "[nn][stride_pool]") {
  using Pool = StridePool<3, 2, 5>;
  using B = ReferenceBackend;
  Context<B> ctx;
  Parameters<Pool, B, double> params(ctx);
  fill(params.flat(), {1, 1});
  Pass pass{2, 2, 1};  // patches 1 and 2 of two sequences
  pass.bytes_read = 5;
  const Planned<Pool> planned(pass);
  const std::vector<Token> four = {7, 8, 9, 256, 256, 256, 10, 257};
  std::vector<double> y(12, -1);
  Pool::forward(ctx, params.tree(), pass, View<const Token, dynamic, dynamic>(four.data(), 2, 4),
                View<double, dynamic, 3>(y.data(), 4), planned.cache);
  const auto& p = params.tree();
  for (Index c = 0; c < 3; ++c) {
    CHECK(y[static_cast<std::size_t>(c)] ==
          Approx((p.table(7, c) + p.position(2, c) + p.table(8, c) + p.position(3, c)) / 2).epsilon(1e-14));
    CHECK(y[static_cast<std::size_t>(3 + c)] == Approx(p.table(9, c) + p.position(4, c)).epsilon(1e-14));
    CHECK(y[static_cast<std::size_t>(6 + c)] == 0);
    CHECK(y[static_cast<std::size_t>(9 + c)] ==
          Approx((p.table(10, c) + p.position(4, c) + p.table(257, c) + p.position(5, c)) / 2).epsilon(1e-14));
  }
}
