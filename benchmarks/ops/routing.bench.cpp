// Routing of 2048 rows of model b to two of eight experts each.
#include <algorithm>
#include <array>

#include <stlm/ops/routing.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, bench::Numbers;

struct Routed {
  static constexpr Index rows = 2048, cols = 384, experts = 8, chosen = 2;
  Numbers logits{rows, experts}, probabilities{rows, experts}, dlogits{rows, experts}, gates{rows, chosen};
  Numbers dgates{rows, chosen}, x{rows, cols}, routed{rows * chosen, cols};
  stlm::Buffer<Index> chosen_experts{rows * chosen}, slots{rows * chosen}, offsets{experts + 1};

  stlm::ops::Routes<float, experts, chosen> routes() const {
    return {{probabilities.data(), rows},
            {gates.data(), rows},
            {chosen_experts.data(), rows},
            {slots.data(), rows},
            stlm::View<Index, experts + 1>(offsets.data())};
  }
  void route(Context& ctx) const {
    probabilities.array() = logits.array();  // route() reads the logits here
    stlm::ops::route(ctx, routes());
  }
  void plain_route() const {
    std::fill_n(offsets.data(), experts + 1, Index{0});
    for (Index n = 0; n < rows; ++n) {
      auto p = probabilities.row(n);
      p = (logits.row(n) - logits.row(n).maxCoeff()).exp();
      p /= p.sum();
      Eigen::Array<float, experts, 1> left = p;
      for (Index j = 0; j < chosen; ++j) {
        Index best = 0;
        gates[n * chosen + j] = left.maxCoeff(&best);
        left[best] = 0;
        chosen_experts.data()[n * chosen + j] = best;
        ++offsets.data()[best + 1];
      }
    }
    for (Index e = 0; e < experts; ++e) offsets.data()[e + 1] += offsets.data()[e];
    std::array<Index, experts> next;
    std::copy_n(offsets.data(), experts, next.begin());
    for (Index i = 0; i < rows * chosen; ++i)
      slots.data()[i] = next[static_cast<std::size_t>(chosen_experts.data()[i])]++;
  }
  /// Calls f(n, j, the j-th routed row of row n, the gate of this routed row) for all n and j.
  template <class F>
  void each(const F& f) const {
    for (Index n = 0; n < rows; ++n)
      for (Index j = 0; j < chosen; ++j) f(n, j, routed.row(slots.data()[n * chosen + j]), gates[n * chosen + j]);
  }
};

const bench::Suite routings([] {
  constexpr double row = 4.0 * Routed::rows * Routed::cols, logits = 4.0 * Routed::rows * Routed::experts;
  const auto make = [] {
    Routed data;
    Context ctx;
    data.route(ctx);
    return data;
  };
  const auto name = [](const char* op) {
    return bench::sized(std::string("routing/") + op, {Routed::rows, Routed::experts});
  };
  bench::add(
      name("route"), {.bytes = 2 * logits}, make, [](Routed& d, Context& ctx) { d.route(ctx); },
      [](Routed& d) { d.plain_route(); });
  bench::add(name("route_backward"), {.bytes = 2 * logits}, make, [](Routed& d, Context& ctx) {
    stlm::ops::route_backward(ctx, d.routes(), {d.dgates.data(), d.rows}, {d.dlogits.data(), d.rows}, 0.01);
  });
  bench::add(
      name("load_balance"), {.bytes = logits, .moves = bench::Moves::kRead}, make,
      [](Routed& d, Context& ctx) { stlm::ops::load_balance(ctx, d.routes(), stlm::View<float, 1>(d.dgates.data())); },
      [](Routed& d) {
        float balance = 0;
        for (Index e = 0; e < d.experts; ++e)
          balance += d.probabilities.matrix().col(e).sum() * static_cast<float>(d.offsets.data()[e + 1] - d.offsets.data()[e]);
        d.dgates[0] = balance * d.experts / (static_cast<float>(d.rows) * d.rows * d.chosen);
      });
  bench::add(
      name("dispatch"), {.bytes = 3 * row}, make,
      [](Routed& d, Context& ctx) { stlm::ops::dispatch(ctx, d.routes(), d.x.view(), d.routed.view()); },
      [](Routed& d) { d.each([&](Index n, Index, auto routed, float) { routed = d.x.row(n); }); });
  bench::add(
      name("dispatch_backward"), {.bytes = 3 * row}, make,
      [](Routed& d, Context& ctx) { stlm::ops::dispatch_backward(ctx, d.routes(), d.routed.view(), d.x.view()); },
      [](Routed& d) {
        d.each([&](Index n, Index j, auto routed, float) {
          if (j == 0)
            d.x.row(n) = routed;
          else
            d.x.row(n) += routed;
        });
      });
  bench::add(
      name("combine"), {.bytes = 3 * row}, make,
      [](Routed& d, Context& ctx) { stlm::ops::combine(ctx, d.routes(), d.routed.view(), d.x.view()); },
      [](Routed& d) {
        d.each([&](Index n, Index j, auto routed, float gate) {
          if (j == 0)
            d.x.row(n) = gate * routed;
          else
            d.x.row(n) += gate * routed;
        });
      });
  bench::add(
      name("combine_backward"), {.bytes = 5 * row, .moves = bench::Moves::kUpdate}, make,
      [](Routed& d, Context& ctx) {
        stlm::ops::combine_backward(ctx, d.routes(), d.x.view(), d.routed.view(), {d.dgates.data(), d.rows});
      },
      [](Routed& d) {
        d.each([&](Index n, Index j, auto routed, float gate) {
          d.dgates[n * d.chosen + j] = (d.x.row(n) * routed).sum();
          routed = gate * d.x.row(n);
        });
      });
});

}  // namespace
