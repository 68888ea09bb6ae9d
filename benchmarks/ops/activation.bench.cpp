// Activations over the hidden rows of model b, 2048 x 1024, and the gated product of SwiGLU.
#include <cmath>

#include <stlm/ops/activation.hpp>

#include "../support/numbers.hpp"

namespace {

struct Hidden {
  bench::Numbers x, up, dy, y, dup;
  explicit Hidden(bench::Index size) : x(size), up(size), dy(size), y(size), dup(size) {}
};

const bench::Suite activations([] {
  using bench::Context, bench::sized;
  constexpr bench::Index rows = 2048, cols = 1024;
  constexpr double size = rows * cols;
  const auto make = [] { return Hidden(rows * cols); };

  bench::add(
      sized("activation/swiglu_forward", {rows, cols}), {.bytes = 12 * size}, make,
      [](Hidden& h, Context& ctx) { stlm::ops::swiglu_forward(ctx, h.x.flat(), h.up.flat(), h.y.flat()); },
      [](Hidden& h) { h.y.array() = h.x.array() / (1 + (-h.x.array()).exp()) * h.up.array(); });
  bench::add(
      sized("activation/swiglu_backward", {rows, cols}), {.bytes = 24 * size}, make,
      [](Hidden& h, Context& ctx) {
        stlm::ops::swiglu_backward(ctx, h.x.flat(), h.up.flat(), h.dy.flat(), h.y.flat(), h.dup.flat(), h.dy.flat());
      },
      [](Hidden& h) {
        const auto gate = h.x.array(), up = h.up.array(), dy = h.dy.array();
        const auto s = (1 + (-gate).exp()).inverse();
        h.y.array() = dy * up * s * (1 + gate * (1 - s));
        h.dup.array() = dy * gate * s;
        h.dy.array() = gate * s * up;
      });
  bench::add(
      sized("activation/gelu_forward", {rows, cols}), {.bytes = 8 * size}, make,
      [](Hidden& h, Context& ctx) { stlm::ops::activation_forward<stlm::Gelu>(ctx, h.x.flat(), h.y.flat()); },
      [](Hidden& h) {
        h.y.array() = h.x.array().unaryExpr([](float x) { return 0.5F * x * (1 + std::erf(x * 0.70710678F)); });
      });
  bench::add(
      sized("activation/gelu_backward", {rows, cols}), {.bytes = 12 * size}, make,
      [](Hidden& h, Context& ctx) {
        stlm::ops::activation_backward<stlm::Gelu>(ctx, h.x.flat(), h.dy.flat(), h.y.flat());
      },
      [](Hidden& h) {
        h.y.array() = h.dy.array() * h.x.array().unaryExpr([](float x) {
          return 0.5F * (1 + std::erf(x * 0.70710678F)) + x * 0.39894228F * std::exp(-0.5F * x * x);
        });
      });
});

}  // namespace
