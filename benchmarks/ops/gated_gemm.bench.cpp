// SwiGLU fused with its products, at the shapes of models a, b and c. Forward: the product of gate and up, then the gated
// unit. Backward: the product dz W of the down matrix, then the gradients of gate and up, which overwrite both; so each run
// of backward follows a run of forward.
#include <stlm/ops/gated_gemm.hpp>

#include "../support/models.hpp"
#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, bench::Numbers;

struct GatedProduct {
  Index hidden;
  Numbers x, dz, w, down, both, y;
  GatedProduct(Index rows, Index dim, Index hidden_)
      : hidden(hidden_), x(rows, dim), dz(rows, dim), w(2 * hidden, dim), down(dim, hidden), both(rows, 2 * hidden),
        y(rows, hidden) {}

  stlm::MatrixView<float> all(const Numbers& rows) const { return stlm::MatrixView<float>(rows.view()); }
  stlm::MatrixView<float> half(Index i) const {
    return {both.data() + i * hidden, both.view().extent(0), hidden, 2 * hidden};
  }
  void forward(Context& ctx) const {
    stlm::ops::gemm_swiglu(ctx, x.view(), w.view(), all(both), half(0), half(1), all(y));
  }
  void backward(Context& ctx) const {
    stlm::ops::gemm_swiglu_backward(ctx, dz.view(), down.view(), half(0), half(1), all(y));
  }

  auto plain_half(Index i) const { return both.matrix().middleCols(i * hidden, hidden).array(); }
  void plain_forward() const {
    both.matrix().noalias() = x.matrix() * w.matrix().transpose();
    const auto gate = plain_half(0), up = plain_half(1);
    y.matrix() = gate / (1 + (-gate).exp()) * up;
  }
  void plain_backward() const {
    const Numbers::Matrix dy = dz.matrix() * down.matrix(), s = (1 + (-plain_half(0)).exp()).inverse();
    const Numbers::Matrix silu = plain_half(0) * s.array();
    auto gate = plain_half(0), up = plain_half(1);
    y.matrix() = silu.array() * up;
    gate = dy.array() * up * s.array() * (1 + gate * (1 - s.array()));
    up = dy.array() * silu.array();
  }
};

template <class Config>
void add_gated() {
  constexpr Index rows = Config::shape.batch * Config::shape.tokens, dim = Config::dim, hidden = Config::ffn_dim;
  constexpr double product = 2.0 * rows * dim * hidden, weight = 4.0 * dim * hidden;
  constexpr double narrow = 4.0 * rows * dim, wide = 4.0 * rows * hidden;
  const auto make = [] { return GatedProduct(rows, dim, hidden); };
  const auto name = [](const char* pass) {
    return bench::sized(std::string("gated_gemm/") + pass, {rows, hidden, dim});
  };
  const bench::Work once{.flops = 2 * product, .bytes = narrow + 2 * weight + 3 * wide};
  const bench::Work twice{.flops = 3 * product, .bytes = 2 * narrow + 3 * weight + 8 * wide};
  bench::add(
      name("forward"), once, make, [](GatedProduct& d, Context& ctx) { d.forward(ctx); },
      [](GatedProduct& d) { d.plain_forward(); });
  bench::add(
      name("forward_backward"), twice, make,
      [](GatedProduct& d, Context& ctx) {
        d.forward(ctx);
        d.backward(ctx);
      },
      [](GatedProduct& d) {
        d.plain_forward();
        d.plain_backward();
      });
}

const bench::Suite gated_products([] {
  add_gated<bench::A>();
  add_gated<bench::B>();
  add_gated<bench::C>();
});

}  // namespace
