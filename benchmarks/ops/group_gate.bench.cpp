// Four groups of 16 columns in 2048 rows, each row with its own gates, as a mixture of low-rank terms has them. Backward works
// in place, so each run first copies its gradient; the bytes include this copy.
#include <stlm/ops/group_gate.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, bench::Numbers;

struct Gated {
  static constexpr Index rows = 2048, groups = 4, width = 16, cols = groups * width;
  Numbers gates{rows, groups}, dlogits{rows, groups}, x{rows, cols}, dy{rows, cols}, y{rows, cols};

  void plain_forward() const {
    for (Index n = 0; n < rows; ++n) {
      auto gate = gates.row(n);
      gate = (gate - gate.maxCoeff()).exp();
      gate /= gate.sum();
      for (Index e = 0; e < groups; ++e)
        y.row(n).segment(e * width, width) = 2 * gate[e] * x.row(n).segment(e * width, width);
    }
  }
  void backward(Context& ctx) const {
    y.array() = dy.array();
    stlm::ops::group_gate_backward(ctx, gates.view(), x.view(), 2, y.view(), dlogits.view());
  }
  void plain_backward() const {
    y.array() = dy.array();
    for (Index n = 0; n < rows; ++n) {
      const auto gate = gates.row(n);
      auto d = dlogits.row(n);
      for (Index e = 0; e < groups; ++e) {
        auto part = y.row(n).segment(e * width, width);
        d[e] = 2 * (part * x.row(n).segment(e * width, width)).sum();
        part *= 2 * gate[e];
      }
      d = gate * (d - (gate * d).sum());
    }
  }
};

const bench::Suite gates([] {
  constexpr double size = Gated::rows * Gated::cols, logits = Gated::rows * Gated::groups;
  const auto make = [] { return Gated(); };
  bench::add(
      "group_gate/forward/2048x4x16", {.bytes = 8 * size + 8 * logits}, make,
      [](Gated& d, Context& ctx) { stlm::ops::group_gate_forward(ctx, d.gates.view(), d.x.view(), 2, d.y.view()); },
      [](Gated& d) { d.plain_forward(); });
  bench::add(
      "group_gate/backward/2048x4x16", {.bytes = 20 * size + 8 * logits}, make,
      [](Gated& d, Context& ctx) { d.backward(ctx); }, [](Gated& d) { d.plain_backward(); });
});

}  // namespace
