// Every op that uses threads gives the same bits for any number of them, on shapes that it splits.

#include <stlm/infer/token_rule.hpp>
#include <stlm/ops/activation.hpp>
#include <stlm/ops/attention.hpp>
#include <stlm/ops/attention_pool.hpp>
#include <stlm/ops/cross_entropy.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/embedding.hpp>
#include <stlm/ops/fused_gemm.hpp>
#include <stlm/ops/gated_gemm.hpp>
#include <stlm/ops/group_gate.hpp>
#include <stlm/ops/learned_activation.hpp>
#include <stlm/ops/norm.hpp>
#include <stlm/ops/optimizer.hpp>
#include <stlm/ops/patches.hpp>
#include <stlm/ops/quantized.hpp>
#include <stlm/ops/rope.hpp>
#include <stlm/ops/routing.hpp>
#include <stlm/ops/sampling.hpp>
#include <stlm/ops/segments.hpp>

#include <array>
#include <numeric>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("threads: gemm", "[ops][threads]") {
  for (const auto& [m, n, k] : {std::array<Index, 3>{1300, 67, 129}, {260, 300, 220}, {5, 777, 130}, {1, 999, 65},
                                {70, 33, 3001}, {96, 200, 500}})
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
    const auto few = rig.blank(199, 2 * 90), few_units = rig.blank(199, 90);  // their unit is split on its own
    const MatrixView<float> left(few.data(), 199, 90, 180), right(few.data() + 90, 199, 90, 180);
    ops::gemm_swiglu(rig.ctx, rig.random(199, 40), weight, MatrixView<float>(few), left, right, MatrixView<float>(few_units));
  });
}

TEST_CASE("threads: products of Bfloat16 and of int8", "[ops][threads]") {
  for (const Index rows : {5, 70, 300})
    check_threads([=](auto& rig) {
      const auto x = rig.random(rows, 200), w = rig.random(333, 200);
      if constexpr (std::is_same_v<TestedBackend, EigenBackend>)
        ops::gemm<Bfloat16>(rig.ctx, x, w, rig.blank(rows, 333), {.transpose_b = true});
      std::vector<Token> all(333);
      std::iota(all.begin(), all.end(), 0);
      const QuantizedMatrix q{rig.template room<std::int8_t>(333 * QuantizedMatrix::padded(200)).data(), rig.blank(333).data(),
                              rig.template room<std::int32_t>(333).data(), 333, 200};
      ops::quantize(rig.ctx, w, q);
      ops::embedding_forward(rig.ctx, q, one_row(all), rig.blank(333, 200));
      ops::gemm(rig.ctx, x, q, rig.blank(rows, 333), {.transpose_b = true});
    });
}

TEST_CASE("threads: attention of few queries, with and without places", "[ops][threads]") {
  const Place places[] = {{1, 600}, {0, 17}};
  for (const bool placed : {false, true})
    check_threads([&](auto& rig) {
      constexpr Index keys = 640, size = 16;
      const auto view = [&](Index rows, Index count) { return heads(rig.random(2 * rows, count * size), 2, count); };
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

TEST_CASE("threads: rows copied, cleared and put into caches, and numbers of another scalar", "[ops][threads]") {
  const std::vector<Place> places = {{4, 9}, {0, 0}, {2, 7}, {6, 1}, {3, 20}};
  check_threads([&](auto& rig) {
    const auto x = rig.random(1001, 97), y = rig.random(1001, 97), z = rig.random(1001, 97), wide = rig.random(500, 2 * 40);
    const auto part = [](const auto& of) { return MatrixView<float>(of.data() + 1, 1001, 90, 97); };
    ops::axpby(rig.ctx, 0.3F, x, 0.7F, y);
    ops::axpby(rig.ctx, -2.0F, y, 0.0F, x);
    ops::copy_rows(rig.ctx, part(x), part(z));
    ops::clear(rig.ctx, part(x));
    const View<Bfloat16, dynamic> rounded = rig.template room<Bfloat16>(y.size());
    ops::convert(rig.ctx, y, rounded);
    ops::convert(rig.ctx, rounded, rig.blank(1001, 97));
    const auto cache = [&] { return View<float, dynamic, dynamic, dynamic>(rig.random(7 * 120, 40).data(), 7, 120, 40); };
    ops::append_rows(rig.ctx, wide, 100, {places.data()}, cache(), cache());
  });
}

TEST_CASE("threads: activations and gated units, of whole matrices and of parts of wider rows", "[ops][threads]") {
  check_threads([](auto& rig) {
    const auto x = rig.random(1001, 97), up = rig.random(1001, 97), dy = rig.random(1001, 97), y = rig.blank(1001, 97);
    ops::activation_backward<Gelu>(rig.ctx, x, dy, y);
    ops::activation_backward<ReluSquared>(rig.ctx, x, dy, dy);
    ops::swiglu_forward(rig.ctx, x, up, rig.blank(1001, 97));
    const auto part = [](const auto& of) { return MatrixView<float>(of.data() + 1, 1001, 90, 97); };
    ops::swiglu_forward(rig.ctx, part(x), part(up), part(rig.blank(1001, 97)));
    ops::swiglu_backward(rig.ctx, part(x), part(up), part(dy), part(x), part(up), part(y));
  });
}

TEST_CASE("threads: what optimisers do", "[ops][threads]") {
  struct Half {
    double operator()(std::int64_t) const { return 0.5; }
  };
  static constexpr double given = 0.75;
  check_threads([](auto& rig) {
    const auto w = rig.random(99999), g = rig.random(99999), m = rig.random(99999), v = rig.random(99999), u = rig.blank(99999);
    const auto report = rig.blank(2);
    const ops::StepView<float> state(rig.copy(std::vector{ops::StepState<float>{}}).data());
    ops::begin_step(rig.ctx, state, g, w, ops::StepRule<Half>{AdamWOptions{}, 8, Half{}, &given});
    report(0) = static_cast<float>(state.data()->norm), report(1) = static_cast<float>(state.data()->loss);
    ops::momentum(rig.ctx, state, g, 0.9, m, u);
    ops::momentum(rig.ctx, state, g, 0.8, u, m, true);
    ops::descend(rig.ctx, state, u, 0.02, 0.1, w);
    ops::normalize(rig.ctx, w, 1e-7, g);
    std::ranges::transform(v, v.begin(), [](float x) { return std::abs(x); });
    const View<Bfloat16, dynamic> rounded = rig.template room<Bfloat16>(99999);
    ops::adamw(rig.ctx, state, w, g, m, v, {.clears = true, .rounded = rounded});
    ops::convert(rig.ctx, rounded, u);
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
    const auto more = rig.random(999, 258);
    sum(0) += ops::cross_entropy_forward_backward(rig.ctx, more, ids, 256, losses, lse, 0.1).sum;
  });
}

TEST_CASE("threads: positions", "[ops][threads]") {
  const std::vector<Index> offsets = {0, 111, 111, 300, 555, 999};
  const std::vector<Place> places = {{0, 3}, {1, 140}, {2, 0}};
  check_threads([&](auto& rig) {
    const auto table = rig.random(500, 70), x = rig.random(999, 70), dtable = rig.random(500, 70);
    const Offsets packed{rig.copy(offsets), 999};
    ops::add_positions(rig.ctx, table, 333, {places.data()}, x);
    ops::add_positions(rig.ctx, table, 444, {nullptr, 5}, x, packed);
    ops::add_positions_backward(rig.ctx, x, 444, dtable, packed);
    ops::add_sinusoids(rig.ctx, 333, {places.data()}, x);
    ops::add_sinusoids(rig.ctx, 111, {nullptr, 5}, x);
  });
}

TEST_CASE("threads: sums over sequences, and their spread", "[ops][threads]") {
  const std::vector<Index> offsets = {0, 3, 3, 250, 251, 700, 999};
  for (const bool of_one_length : {true, false})
    check_threads([&](auto& rig) {
      ops::Segments segments{111, 9, {}, false};
      if (!of_one_length) segments = {6, 449, {rig.copy(offsets), 999}, true};
      const auto rows = rig.random(999, 97), sums = rig.blank(segments.count, 97);
      ops::segment_sum(rig.ctx, rows, sums, segments);
      ops::segment_spread(rig.ctx, sums, rows, segments, true);
      ops::segment_spread(rig.ctx, sums, rig.blank(999, 97), segments, false);
    });
}

TEST_CASE("threads: rotary embedding and attention", "[ops][threads]") {
  check_threads([](auto& rig) {
    constexpr Index batch = 2, length = 150, heads = 4, kv_heads = 2, size = 16;
    const auto view = [&](Index count) { return test::heads(rig.random(batch * length, count * size), batch, count); };
    const auto q = view(heads), out = view(heads), dout = view(heads), dq = view(heads);
    const auto k = view(kv_heads), v = view(kv_heads), dk = view(kv_heads), dv = view(kv_heads);
    const auto lse = rig.blank(batch * heads * length);
    const ops::AttentionShape shape{batch, length, length, true, 0.1, RandomKey{3, 4}};
    ops::rope(rig.ctx, q, {.batch = batch, .tokens = length});
    ops::attention_forward(rig.ctx, q, k, v, out, lse, shape);
    ops::attention_backward(rig.ctx, q, k, v, out, lse, dout, dq, dk, dv, shape);
  });
}

TEST_CASE("threads: rotary embedding of packed sequences, and of sequences at places of their own", "[ops][threads]") {
  const std::vector<Index> offsets = {0, 111, 111, 300, 450};
  const std::vector<Place> places = {{0, 3}, {1, 1000}, {2, 0}};
  check_threads([&](auto& rig) {
    const auto x = rig.random(450, 4 * 16);
    const auto heads = [&](Index tokens) { return HeadsView<float>{x.data(), 4, 16, tokens * 64, 64}; };
    ops::rope(rig.ctx, heads(0), {.batch = 4, .tokens = 189, .offsets = {rig.copy(offsets), 450}});
    ops::rope(rig.ctx, heads(150), {.batch = 3, .tokens = 150, .pairs = RopePairs::kHalfSplit, .places = places.data()});
  });
}

TEST_CASE("threads: attention of short sequences", "[ops][threads]") {
  std::vector<Index> offsets = {0};
  for (Index b = 0; b < 50; ++b) offsets.push_back(offsets.back() + b % 12);
  for (const bool packed : {false, true})
    check_threads([&](auto& rig) {
      constexpr Index batch = 50, length = 11, heads = 4, kv_heads = 2, size = 16;
      const auto view = [&](Index count) { return test::heads(rig.random(batch * length, count * size), batch, count); };
      const auto q = view(heads), out = view(heads), dout = view(heads), dq = view(heads);
      const auto k = view(kv_heads), v = view(kv_heads), dk = view(kv_heads), dv = view(kv_heads);
      ops::AttentionShape shape{batch, length, length, true, 0.1, RandomKey{3, 4}};
      if (packed) shape.offsets = {rig.copy(offsets), offsets.back()};
      const auto lse = rig.blank(shape.rows() * heads);
      ops::attention_forward(rig.ctx, q, k, v, out, lse, shape);
      ops::attention_backward(rig.ctx, q, k, v, out, lse, dout, dq, dk, dv, shape);
    });
}

TEST_CASE("threads: pooling by attention", "[ops][threads]") {
  check_threads([](auto& rig) {
    constexpr Index batch = 3, length = 150, heads = 4, size = 8, keep = 70;
    const auto view = [&] { return test::heads(rig.random(batch * length, heads * size), batch, heads); };
    const auto q = view(), k = view(), out = view();
    const auto lse = rig.blank(batch * heads * length), chosen = rig.blank(batch * keep);
    const auto scores = rig.blank(batch, length);
    const View<Token, dynamic, dynamic> picks(rig.template room<Token>(batch * keep).data(), batch, keep);
    ops::attention_forward(rig.ctx, q, k, k, out, lse, {batch, length, length, false});
    ops::attention_received(rig.ctx, q, k, lse, scores);
    ops::keep_highest(rig.ctx, scores, true, picks);
    std::ranges::transform(picks, chosen.begin(), [](Token pick) { return static_cast<float>(pick); });
  });
}

TEST_CASE("threads: learned activation", "[ops][threads]") {
  check_threads([](auto& rig) {
    const auto x = rig.random(1, 99999, 4), y = rig.blank(1, 99999), dy = rig.random(1, 99999), w = rig.random(4, 10);
    const auto dw = rig.random(4, 10);
    const ops::ReluNetwork<float> f{10, &w(0, 0), &w(1, 0), &w(2, 0), &w(3, 0)},
        df{10, &dw(0, 0), &dw(1, 0), &dw(2, 0), &dw(3, 0)};
    ops::learned_activation_forward(rig.ctx, x, f, y);
    ops::learned_activation_backward(rig.ctx, x, f, dy, dy, df);
  });
}

TEST_CASE("threads: routing", "[ops][threads]") {
  constexpr Index rows = 3501;  // with 5 probabilities each, enough for the router to be split too
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

TEST_CASE("threads: what GPUs alone have, or do in threads", "[ops][threads]") {
  const std::vector<Place> places = {{4, 9}, {0, 0}, {2, 7}, {5, 1}, {3, 3}};
  if constexpr (ops::draws_tokens<TestedBackend>)
    check_threads([&](auto& rig) {
      using Matrix = MatrixView<float>;
      constexpr Index rows = 5, queries = 4, kv = 2, size = 16, cols = kv * size, width = queries * size + 2 * cols;
      constexpr Index capacity = 10;
      const auto x = rig.random(rows, 70), weight = rig.random(width, 70), hidden = rig.blank(rows, 70);
      const auto y = rig.blank(rows, width), addend = rig.random(rows, width);
      const auto keys = rig.random(6 * capacity, cols), values = rig.random(6 * capacity, cols);
      const MatrixView<const float> read(weight);
      const ops::RowNorm<float> norm{rig.random(70), 1e-6, Matrix(hidden), rig.blank(rows)};
      const ops::RopeOptions options{.batch = rows, .tokens = 1, .places = places.data()};
      const HeadsView<float> turned{y.data(), queries + kv, size, width, width};
      const auto cache = [&](const auto& all) { return HeadsView<float>{all.data(), kv, size, capacity * cols, cols}; };
      ops::gemm_add(rig.ctx, x, weight, addend, y, {.transpose_b = true});
      ops::rms_norm_gemm(rig.ctx, norm, x, read, Matrix(y));
      ops::rope_append(rig.ctx, turned, queries, options, cache(keys), cache(values), 6);
      ops::swiglu_gemm_add(rig.ctx, x, x, read, addend, Matrix(y), Matrix(hidden));
      ops::rms_norm_gemm_rope_append(rig.ctx, norm, x, read, Matrix(y), queries, options, cache(keys), cache(values), 6);

      const auto drawn = rig.template room<Token>(rows);
      ops::sample(rig.ctx, y, {.top_k = 40}, rig.copy(std::vector(rows, ops::Draw<AnyBut>{{1, 2}, {}})), drawn);
      const std::vector<Token> slots = some_tokens(300 * 5, 258, {5, 5}, 256);
      const ops::PatchSlots patches{{slots.data(), 300, 5}, 256, true};
      const auto offsets = rig.template room<Index>(301);
      const auto ids = rig.template room<Token>(patches.total_bytes()), at = rig.template room<Token>(ids.size());
      const auto inputs = rig.template room<Token>(patches.total_symbols());
      const auto targets = rig.template room<Token>(inputs.size()), of_slots = rig.template room<Token>(300 * 5);
      ops::pack_bytes(rig.ctx, patches, offsets, ids);
      ops::pack_places(rig.ctx, patches, 100, 7, at);
      ops::pack_symbols(rig.ctx, patches, offsets, inputs, targets);
      ops::slot_targets(rig.ctx, patches, of_slots, 257, true);
      for (const auto& tokens : {drawn, ids, at, inputs, targets, of_slots})
        std::ranges::transform(tokens, rig.blank(tokens.size()).begin(), [](Token id) { return static_cast<float>(id); });
    });
}
