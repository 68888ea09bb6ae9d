#include <stlm/nn/byte_block_mean.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// Spreads each mean to every byte of its patch, as a function of rows.
template <class Block>
struct AtBytes : ByteBlockMean<Block> {
  using Mean = ByteBlockMean<Block>;
  using Mean::in, Mean::out;

  template <class T>
  struct Cache : Mean::template Cache<T> {
    View<T, dynamic, out> y, dy;
  };
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.y, pass.batch);
    arena.keep(cache.dy, pass.batch);
    Mean::plan(arena, cache, pass);
  }
  template <class B, class P, class T>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, Rows<const T, in> x, Rows<T, out> y, const Cache<T>& cache) {
    Mean::forward(ctx, p, pass, x, cache.y, cache);
    ops::segment_spread(ctx, cache.y, y, {pass.batch, pass.tokens}, false);
  }
  template <class B, class P, class T>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, Rows<const T, in> x, Rows<const T, out> dy, Rows<T, in> dx,
                       const Cache<T>& cache, const P& grads) {
    ops::segment_sum(ctx, dy, cache.dy, {pass.batch, pass.tokens});
    Mean::backward(ctx, p, pass, x, View<const T, dynamic, out>(cache.dy), dx, cache, grads);
  }
};

using Square = ByteBlock<6, 6, 8, 2>;
using Wider = ByteBlock<4, 6, 8, 2>;
static_assert(Square::residual && !Wider::residual);

}  // namespace

static_assert(num_params<ByteBlockMean<Wider>> == num_params<Wider>);
static_assert(Wider::flops_per_token(3) - ByteBlockMean<Wider>::flops_per_token(3) == 2 * 2.0 / 3 * 6 * 8);
static_assert(std::is_same_v<MeanOf<ByteBlocks<Wider, Square>>, ByteBlocks<Wider, ByteBlockMean<Square>>>);

TEST_CASE("ByteBlockMean: gradients", "[nn][byte_block_mean][gradient]") {
  check_gradients<AtBytes<Square>>({2, 3}, 0.2);
  check_gradients<AtBytes<Wider>>({2, 3});
}

TEST_CASE("ByteBlockMean: backends agree", "[nn][byte_block_mean][parity]") {
  check_backends<AtBytes<ByteBlock<16, 24, 20, 2>>>(0.2);
  check_backends<AtBytes<ByteBlock<16, 16, 20, 2>>>();
}

TEMPLATE_TEST_CASE("ByteBlockMean: the mean of the block's rows", "[nn][byte_block_mean]", Square, Wider) {
  Fixture<AtBytes<TestType>, ReferenceBackend, double> mean({2, 3});
  Fixture<Leaf<TestType, TestType::in, TestType::out>, ReferenceBackend, double> rows({2, 3});
  mean.forward();
  rows.forward();
  for (Index n = 0; n < 6; ++n)
    for (Index c = 0; c < 6; ++c) {
      const Index first = n / 3 * 3;
      CHECK(mean.y(n, c) == Approx((rows.y(first, c) + rows.y(first + 1, c) + rows.y(first + 2, c)) / 3).epsilon(1e-13));
    }
}
