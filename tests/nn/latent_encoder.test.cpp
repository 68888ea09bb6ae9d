#include <stlm/nn/latent_encoder.hpp>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Block = PreNormBlock<RmsNorm<6>, Attention<6, 3, 1, 2, Rotary<>, Bidirectional>, SwiGlu<6, 8>>;
using Encoder = LatentEncoder<TokenEmbedding<11, 6, LearnedPosition<130>>, Repeat<1, Block>, AttentionPool<6, 8, 2, 300>,
                              AttentionPool<8, 10, 2, 500>>;

/// An encoder on fixed tokens: it fills the first B rows of y; the others are zero.
struct Subject : Encoder {
  static constexpr Index in = 0, out = latent;

  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>, View<T, dynamic, out> y,
                      const C& cache) {
    std::fill(y.begin(), y.end(), T(0));
    const auto tokens = some_tokens(pass.rows(), 11, {5, 5});
    Encoder::forward(ctx, p, pass, {tokens.data(), pass.batch, pass.tokens}, View<T, dynamic, out>(y.data(), pass.batch), cache);
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>,
                       View<const T, dynamic, out> dy, View<T, dynamic, in>, const C& cache, const P& grads) {
    const auto tokens = some_tokens(pass.rows(), 11, {5, 5});
    Encoder::backward(ctx, p, pass, {tokens.data(), pass.batch, pass.tokens},
                      View<const T, dynamic, out>(dy.data(), pass.batch), cache, grads);
  }
};

}  // namespace

static_assert(Encoder::latent == 10);
static_assert(Encoder::reach<2>({3, 10}).tokens == 3);  // 10 -> 7 -> 3
static_assert(num_params<Encoder> == 141 * 6 + num_params<Block> + num_params<AttentionPool<6, 8, 2, 300>> +
                                         num_params<AttentionPool<8, 10, 2, 500>>);

TEST_CASE("LatentEncoder: gradients", "[nn][latent_encoder][gradient]") {
  check_gradients<Subject>({2, 5});
  check_gradients<Subject>({2, 1});
  check_gradients<Subject>({1, 4}, 0.3);
}

TEST_CASE("LatentEncoder: backends agree", "[nn][latent_encoder][parity]") {
  check_backends<Subject>();
  check_backends<Subject>(0.2);
}

TEST_CASE("LatentEncoder: is the mean of what the last pool leaves", "[nn][latent_encoder]") {
  Fixture<Subject, ReferenceBackend, double> f({2, 10});
  f.forward();
  const auto& last = std::get<2>(f.acts.cache().rows);
  REQUIRE(last.extent(0) == 6);
  for (Index b = 0; b < 2; ++b)
    for (Index c = 0; c < 10; ++c)
      CHECK(f.y(b, c) == Approx((last(3 * b, c) + last(3 * b + 1, c) + last(3 * b + 2, c)) / 3).epsilon(1e-14));
}
