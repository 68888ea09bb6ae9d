// Every op that works in threads, on shapes that it splits: the same bits from any number.

#include <stlm/ops/activation.hpp>
#include <stlm/ops/attention.hpp>
#include <stlm/ops/cross_entropy.hpp>
#include <stlm/ops/embedding.hpp>
#include <stlm/ops/gated_gemm.hpp>
#include <stlm/ops/group_gate.hpp>
#include <stlm/ops/learned_activation.hpp>
#include <stlm/ops/norm.hpp>
#include <stlm/ops/optimizer.hpp>
#include <stlm/ops/rope.hpp>
#include <stlm/ops/routing.hpp>

#include <array>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("threads: gemm", "[ops][threads]") {
  for (const auto& [m, n, k] : {std::array<Index, 3>{513, 67, 129}, {5, 777, 130}, {1, 999, 65}, {70, 33, 3001}})
    for (const bool accumulate : {false, true})
      check_threads([=, m = m, n = n, k = k](auto& rig) {
        const auto a = rig.random(m, k), a_transposed = rig.random(k, m), b = rig.random(k, n), b_transposed = rig.random(n, k);
        ops::gemm(rig.ctx, a, b, rig.random(m, n), {.accumulate = accumulate});
        ops::gemm(rig.ctx, a, b_transposed, rig.random(m, n), {.transpose_b = true, .accumulate = accumulate});
        ops::gemm(rig.ctx, a_transposed, b, rig.random(m, n), {.transpose_a = true, .accumulate = accumulate});
      });
}

TEST_CASE("threads: batches of products, and products with their gated unit", "[ops][threads]") {
  check_threads([](auto& rig) {
    const auto a = rig.random(5 * 40, 70), b = rig.random(5 * 70, 33), c = rig.blank(5 * 40, 33);
    ops::gemm(rig.ctx, ops::MatrixBatch<float>{{a.data(), 40, 70, 70}, 5, 40 * 70},
              ops::MatrixBatch<float>{{b.data(), 70, 33, 33}, 5, 70 * 33},
              ops::MatrixBatch<float>{{c.data(), 40, 33, 33}, 5, 40 * 33});
    const auto x = rig.random(601, 40), weight = rig.random(2 * 90, 40), both = rig.blank(601, 2 * 90), y = rig.blank(601, 90);
    const MatrixView<float> gate(both.data(), 601, 90, 180), up(both.data() + 90, 601, 90, 180), unit(y);
    ops::gemm_swiglu(rig.ctx, x, weight, MatrixView<float>(both), gate, up, unit);
    ops::gemm_swiglu_backward(rig.ctx, x, rig.random(40, 90), gate, up, unit);
  });
}

TEST_CASE("threads: attention of few queries, with and without places", "[ops][threads]") {
  const Place places[] = {{1, 600}, {0, 17}};
  for (const bool placed : {false, true})
    check_threads([&](auto& rig) {
      constexpr Index keys = 640, size = 16;
      const auto view = [&](Index rows, Index count) {
        const Index width = count * size;
        return HeadsView<float>{rig.random(2 * rows, width).data(), count, size, rows * width, width};
      };
      ops::AttentionShape shape{2, 1, keys};
      shape.places = placed ? places : nullptr;
      ops::attention_forward(rig.ctx, view(1, 4), view(keys, 2), view(keys, 2), view(1, 4), rig.blank(2 * 4), shape);
    });
}

TEST_CASE("threads: elementwise work, norms and sums", "[ops][threads]") {
  check_threads([](auto& rig) {
    const auto x = rig.random(1001, 97), y = rig.random(1001, 97), dx = rig.random(1001, 97);
    const auto gain = rig.random(97), dgain = rig.random(97), dbias = rig.random(97), mean = rig.blank(1001);
    const auto rstd = rig.blank(1001), sum = rig.blank(1);
    const auto w = rig.random(99999), g = rig.random(99999), m = rig.random(99999), v = rig.random(99999);
    ops::dropout(rig.ctx, x, 0.2, RandomKey{1, 2});
    ops::add(rig.ctx, x, y, y);
    ops::add_bias(rig.ctx, gain, y);
    ops::sum_rows(rig.ctx, y, dbias);
    ops::rms_norm_forward(rig.ctx, x, gain, y, rstd, 1e-6);
    ops::rms_norm_backward(rig.ctx, x, gain, rstd, y, dx, dgain, true);
    ops::add_rms_norm_forward(rig.ctx, x, dx, gain, dx, y, rstd, 1e-6);
    ops::layer_norm_forward(rig.ctx, x, gain, dbias, y, mean, rstd, 1e-5);
    ops::layer_norm_backward(rig.ctx, x, gain, mean, rstd, y, dx, dgain, dbias, true);
    ops::activation_forward<Gelu>(rig.ctx, dx, y);
    ops::swiglu_backward(rig.ctx, x, y, dx, dx, y);
    ops::activation_forward<ReluSquared>(rig.ctx, v, v);
    using State = ops::StepState<float>;
    const ops::StepView<float> state(rig.copy(std::vector{State::at(AdamWOptions{}, 1, 3)}).data());
    ops::adamw(rig.ctx, state, w, g, m, v);
    sum(0) = static_cast<float>(ops::sum_squares(rig.ctx, g));
  });
}

TEST_CASE("threads: gated groups", "[ops][threads]") {
  for (const Index span : {1, 77})
    check_threads([=](auto& rig) {
      const auto gates = rig.random(1001 / span, 4), x = rig.random(1001, 96), y = rig.blank(1001, 96);
      ops::group_gate_forward(rig.ctx, gates, x, 0.5, y);
      ops::group_gate_backward(rig.ctx, gates, x, 0.5, rig.random(1001, 96), rig.blank(1001 / span, 4));
    });
}

TEST_CASE("threads: embedding and cross-entropy", "[ops][threads]") {
  const std::vector<Token> tokens = some_tokens(999, 258, {1, 2}, 256);
  const View<const Token, dynamic, dynamic> ids(tokens.data(), 1, 999);
  check_threads([&](auto& rig) {
    const auto table = rig.random(258, 70), x = rig.random(999, 70), dtable = rig.random(258, 70);
    const auto logits = rig.random(999, 258);
    const auto losses = rig.blank(999), lse = rig.blank(999), sum = rig.blank(1);
    ops::embedding_forward(rig.ctx, table, ids, x);
    ops::embedding_backward(rig.ctx, ids, x, dtable);
    ops::add_positions_backward(rig.ctx, x, 111, dtable);
    sum(0) = ops::cross_entropy_forward(rig.ctx, logits, ids, 256, losses, lse).sum;
    ops::cross_entropy_backward(rig.ctx, logits, ids, 256, lse, 0.1);
  });
}

TEST_CASE("threads: rotary embedding and attention", "[ops][threads]") {
  check_threads([](auto& rig) {
    constexpr Index batch = 2, length = 150, heads = 4, kv_heads = 2, size = 16;
    const auto view = [&](Index count) {
      const Index width = count * size;
      return HeadsView<float>{rig.random(batch * length, width).data(), count, size, length * width, width};
    };
    const auto q = view(heads), out = view(heads), dout = view(heads), dq = view(heads);
    const auto k = view(kv_heads), v = view(kv_heads), dk = view(kv_heads), dv = view(kv_heads);
    const auto lse = rig.blank(batch * heads * length);
    const ops::AttentionShape shape{batch, length, length, true, 0.1, RandomKey{3, 4}};
    ops::rope(rig.ctx, q, {.batch = batch, .tokens = length});
    ops::attention_forward(rig.ctx, q, k, v, out, lse, shape);
    ops::attention_backward(rig.ctx, q, k, v, out, lse, dout, dq, dk, dv, shape);
  });
}

TEST_CASE("threads: learned activation", "[ops][threads]") {
  check_threads([](auto& rig) {
    const auto x = rig.random(1, 99999, 4), y = rig.blank(1, 99999), dy = rig.random(1, 99999), w = rig.random(4, 10);
    const auto dw = rig.random(4, 10);
    const ops::ReluNetwork<float> f{10, &w(0, 0), &w(1, 0), &w(2, 0), &w(3, 0)}, df{10, &dw(0, 0), &dw(1, 0), &dw(2, 0), &dw(3, 0)};
    ops::learned_activation_forward(rig.ctx, x, f, y);
    ops::learned_activation_backward(rig.ctx, x, f, dy, dy, df);
  });
}

TEST_CASE("threads: routing", "[ops][threads]") {
  constexpr Index rows = 1501;
  std::vector<Index> experts(2 * rows), slots(2 * rows), offsets(6);
  check_threads([&](auto& rig) {
    const auto probabilities = rig.random(rows, 5, 4), gates = rig.blank(rows, 2), balance = rig.blank(1, 1);
    const ops::Routes<float, 5, 2> routes{probabilities, gates, {experts.data(), rows}, {slots.data(), rows},
                                          View<Index, 6>(offsets.data())};
    const auto x = rig.random(rows, 70), routed = rig.blank(2 * rows, 70), y = rig.blank(rows, 70), dx = rig.blank(rows, 70);
    const auto dgates = rig.blank(rows, 2), dlogits = rig.blank(rows, 5);
    ops::route(rig.ctx, routes, {.renormalize = true});
    ops::load_balance(rig.ctx, routes, View<float, 1>(balance.data()));
    ops::dispatch(rig.ctx, routes, x, routed);
    ops::combine(rig.ctx, routes, routed, y);
    ops::combine_backward(rig.ctx, routes, y, routed, dgates);
    ops::dispatch_backward(rig.ctx, routes, routed, dx);
    ops::route_backward(rig.ctx, routes, dgates, dlogits, 0.1, {.renormalize = true});
  });
}
