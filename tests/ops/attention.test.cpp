#include <stlm/ops/attention.hpp>

#include <array>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

// More keys than a tile: EigenBackend's tiles have 512 keys, the kernels' 64, and a CPU runs the kernels slowly.
#if defined(STLM_TEST_EMULATED) || defined(STLM_TEST_CUDA)
constexpr Index many = 150;
#else
constexpr Index many = 600;
#endif

struct Case {
  Index batch, queries, keys, heads, kv_heads, head_size;
  bool causal;
  double dropout = 0, scale = 1;
  Index window = 0;
  bool alibi = false;

  ops::AttentionShape shape() const { return {batch, queries, keys, causal, dropout, RandomKey{8, 9}, window, alibi}; }
};

template <class Rig>
struct Tensors {
  using V = View<typename Rig::Scalar, dynamic, dynamic>;
  V q, k, v, out, dout, dq, dk, dv;
  View<typename Rig::Compute, dynamic> lse;
  Tensors(Rig& rig, const Case& c)
      : q(rig.random(c.batch * c.queries, c.heads * c.head_size, c.scale)),
        k(rig.random(c.batch * c.keys, c.kv_heads * c.head_size, c.scale)),
        v(rig.random(c.batch * c.keys, c.kv_heads * c.head_size)),
        out(rig.blank(c.batch * c.queries, c.heads * c.head_size)),
        dout(rig.random(c.batch * c.queries, c.heads * c.head_size)),
        dq(rig.blank(c.batch * c.queries, c.heads * c.head_size)),
        dk(rig.blank(c.batch * c.keys, c.kv_heads * c.head_size)),
        dv(rig.blank(c.batch * c.keys, c.kv_heads * c.head_size)),
        lse(rig.blank(c.batch * c.heads * c.queries)) {}
};

void check_case(const Case& c) {
  CAPTURE(c.batch, c.queries, c.keys, c.heads, c.kv_heads, c.head_size, c.causal, c.dropout, c.scale, c.window, c.alibi);
  const ops::AttentionShape shape = c.shape();
  const auto body = [&](auto& rig) {
    const Tensors t(rig, c);
    const auto q = heads(t.q, c.batch, c.heads), out = heads(t.out, c.batch, c.heads), dout = heads(t.dout, c.batch, c.heads);
    const auto k = heads(t.k, c.batch, c.kv_heads), v = heads(t.v, c.batch, c.kv_heads);
    ops::attention_forward(rig.ctx, q, k, v, out, t.lse, shape);
    ops::attention_backward(rig.ctx, q, k, v, out, t.lse, dout, heads(t.dq, c.batch, c.heads),
                            heads(t.dk, c.batch, c.kv_heads), heads(t.dv, c.batch, c.kv_heads), shape);
  };
  // No Bfloat16 where one key has nearly all the weight, as gradients of scores are then differences near zero of rounded
  // outputs; nor in the longest cases, which take long.
  c.scale > 1 || c.queries > 500 ? check_op(body) : check_stream_op(body);
}

/// Products of Bfloat16, in a GPU's activations or on a CPU that has them. If the inputs are exact in Bfloat16, only the
/// probabilities, their gradients and stored results are rounded, each by at most 2^-9 of itself. So a sum of p x errs by at
/// most 2^-9 of the sum of |p x|: for these shapes, by at most 2^-7 of the largest magnitude of a tensor in all.
void check_products(const Case& c, const ops::AttentionShape& of_all, const std::vector<Index>& offsets = {}) {
  CAPTURE(c.batch, c.queries, c.keys, c.heads, c.kv_heads, c.head_size, c.causal, c.dropout, c.window, c.alibi);
  const auto run = [&](auto& rig) {
    ops::AttentionShape shape = of_all;
    if (!offsets.empty()) shape.offsets = {rig.copy(offsets), offsets.back()};
    const Tensors t(rig, c);
    for (const auto& x : std::array{t.q, t.k, t.v, t.dout})
      for (auto& number : x) number = Bfloat16(static_cast<float>(number));
    const auto q = heads(t.q, c.batch, c.heads), out = heads(t.out, c.batch, c.heads);
    const auto dout = heads(t.dout, c.batch, c.heads);
    const auto k = heads(t.k, c.batch, c.kv_heads), v = heads(t.v, c.batch, c.kv_heads);
    ops::attention_forward<Bfloat16>(rig.ctx, q, k, v, out, t.lse, shape);
    ops::attention_backward<Bfloat16>(rig.ctx, q, k, v, out, t.lse, dout, heads(t.dq, c.batch, c.heads),
                                      heads(t.dk, c.batch, c.kv_heads), heads(t.dv, c.batch, c.kv_heads), shape);
  };
  Rig<ReferenceBackend, double> expected;
  run(expected);
  compare_op<activation_t<TestedBackend, Bfloat16>>(expected, run, 0x1p-7);
}

}  // namespace

TEST_CASE("attention: sequences that decode at places of their own", "[ops][attention][parity]") {
  for (const Index capacity : {50, 300})  // each of four sequences of a cache
    for (const auto& [queries, size] : {std::array<Index, 2>{1, 6}, {3, 6}, {9, 6}, {9, 32}})
      for (const Index window : {0, 20}) {
        CAPTURE(capacity, window, queries, size);
        const Place places[] = {{3, 0}, {1, capacity - 10}, {0, 7}};
        ops::AttentionShape shape{.batch = 3, .queries = queries, .keys = capacity, .window = window};
        shape.places = places;
        check_stream_op([&, n = queries, size = size](auto& rig) {
          const auto q = rig.random(3 * n, 4 * size);
          const auto k = rig.random(4 * capacity, 2 * size), v = rig.random(4 * capacity, 2 * size);
          const auto out = rig.blank(3 * n, 4 * size);
          ops::attention_forward(rig.ctx, heads(q, 3, 4), heads(k, 4, 2), heads(v, 4, 2), heads(out, 3, 4),
                                 rig.blank(3 * 4 * n), shape);
        });
      }
}

TEST_CASE("attention: the softmax of the scores mixes the values", "[ops][attention]") {
  const Case c{2, 3, 5, 4, 2, 6, true};
  for (const bool causal : {true, false}) {
    Rig<ReferenceBackend, double> rig;
    const Tensors t(rig, c);
    ops::attention_forward(rig.ctx, heads(t.q, 2, 4), heads(t.k, 2, 2), heads(t.v, 2, 2), heads(t.out, 2, 4), t.lse,
                           {2, 3, 5, causal});
    for (Index b = 0; b < 2; ++b)
      for (Index h = 0; h < 4; ++h)
        for (Index i = 0; i < 3; ++i) {
          std::vector<double> mixed(6);
          double sum = 0;
          for (Index j = 0; j < (causal ? i + 3 : 5); ++j) {  // query 0 stands at position 2
            double score = 0;
            for (Index d = 0; d < 6; ++d) score += t.q(b * 3 + i, h * 6 + d) * t.k(b * 5 + j, h / 2 * 6 + d);
            const double weight = std::exp(score / std::sqrt(6.0));
            sum += weight;
            for (Index d = 0; d < 6; ++d) mixed[static_cast<std::size_t>(d)] += weight * t.v(b * 5 + j, h / 2 * 6 + d);
          }
          CHECK(t.lse((b * 4 + h) * 3 + i) == Approx(std::log(sum)).epsilon(1e-14));
          for (Index d = 0; d < 6; ++d)
            CHECK(t.out(b * 3 + i, h * 6 + d) == Approx(mixed[static_cast<std::size_t>(d)] / sum).epsilon(1e-13));
        }
  }
}

TEST_CASE("attention: backends agree", "[ops][attention][parity]") {
  for (const bool causal : {true, false}) {
    check_case({1, 1, 1, 1, 1, 1, causal});
    check_case({2, 7, 7, 4, 2, 5, causal});           // grouped
    check_case({3, 33, 33, 3, 1, 16, causal});        // one key head
    check_case({2, 64, 64, 2, 2, 8, causal});         // whole tiles
    check_case({1, 130, 130, 2, 1, 12, causal});      // more queries than a tile
    check_case({1, many, many, 1, 1, 4, causal});     // more keys than a tile
    check_case({2, 1, 600, 4, 2, 8, causal});         // one new token after many
    check_case({3, 1, 77, 6, 2, 90, causal, 0.3, 1, 40, true});  // with every option and a large head
    check_case({2, 3, 70, 4, 2, 8, causal});          // several new tokens
    check_case({2, 66, 66, 4, 2, 8, causal, 0.3});    // dropout
    check_case({2, 3, 300, 4, 2, 8, causal, 0.3});
    check_case({1, 1, 5, 1, 1, 516, causal});
    check_case({1, many, many, 1, 1, 4, causal, 0.3});  // dropout over tiles
    check_case({1, 40, 40, 2, 1, 8, causal, 0, 16});  // scores up to hundreds
    check_case({1, 70, 70, 2, 1, 66, causal, 0.3});   // a large head; sizes that are multiples of nothing
    check_case({2, 20, 20, 2, 2, 132, causal, 0, 1, 3, true});
    check_case({11, 13, 13, 4, 2, 8, causal, 0.3, 1, 4, true});  // many short sequences
    for (const Index size : {16, 32}) check_case({3, 12, 12, 4, 2, size, causal, 0.3, 1, 5, true});  // heads of packets
    for (const bool alibi : {true, false})
      for (const Index window : {0, 1, 5, 70}) {
        if (window == 0 && !alibi) continue;
        check_case({2, 9, 9, 6, 2, 5, causal, 0.2, 1, window, alibi});
        check_case({1, 130, 130, 3, 3, 8, causal, 0, 1, window, alibi});
        check_case({1, many, many, 1, 1, 4, causal, 0.2, 1, window, alibi});  // some rows see no key of the first tile
        check_case({2, 3, 600, 2, 1, 4, causal, 0, 1, window, alibi});
      }
  }
}

TEST_CASE("attention: a head size that the compiler knows changes no bit, and is checked", "[ops][attention][parity]") {
  const auto check = []<Index Size>(std::integral_constant<Index, Size>) {
    for (const auto& [queries, keys] : {std::array<Index, 2>{12, 12}, {70, 70}, {1, 90}}) {
      CAPTURE(Size, queries, keys);
      const Case c{2, queries, keys, 4, 2, Size, true};
      const auto run = [&]<Index Known>(auto& rig, std::integral_constant<Index, Known>) {
        const Tensors t(rig, c);
        const auto q = heads(t.q, 2, 4), out = heads(t.out, 2, 4), k = heads(t.k, 2, 2), v = heads(t.v, 2, 2);
        ops::attention_forward<void, Known>(rig.ctx, q, k, v, out, t.lse, c.shape());
        ops::attention_backward<void, Known>(rig.ctx, q, k, v, out, t.lse, heads(t.dout, 2, 4), heads(t.dq, 2, 4),
                                             heads(t.dk, 2, 2), heads(t.dv, 2, 2), c.shape());
      };
      Rig<TestedBackend, float> expected, found;
      run(expected, std::integral_constant<Index, 0>{});
      run(found, std::integral_constant<Index, Size>{});
      check_same_bits(expected, found);
      CHECK_THROWS_WITH(run(found, std::integral_constant<Index, 20>{}),
                        "stlm::ops::attention_forward: expected heads of 20, as it is compiled for, found " +
                            std::to_string(Size) + "; give the same size to both.");
    }
  };
  check(std::integral_constant<Index, 16>{});
  check(std::integral_constant<Index, 32>{});
  check(std::integral_constant<Index, 24>{});
}

TEST_CASE("attention: products of Bfloat16 round probabilities and their gradients alone", "[ops][attention][parity]") {
  const auto check = [](const Case& c) { check_products(c, c.shape()); };
  for (const bool causal : {true, false}) {
    for (const Index size : {32, 48, 64, 128}) {
      check({1, 1, 1, 1, 1, size, causal});
      check({2, 64, 64, 2, 1, size, causal});      // whole tiles, grouped
      check({1, 150, 150, 2, 2, size, causal});    // more than a tile, with a rest
      check({1, 70, 101, 1, 1, size, causal});     // queries at the end of more keys
      check({1, 100, 100, 2, 1, size, causal, 0.3});
      check({1, 99, 99, 1, 1, size, causal, 0.3, 1, 20, true});
      check({9, 13, 13, 2, 1, size, causal, 0.3, 1, 4, true});  // many short sequences
    }
    check({1, 260, 260, 1, 1, 32, causal, 0, 1, 20});  // tiles that only one half of a block sees
    const std::vector<Index> offsets = {0, 12, 13, 13, 100, 107, 200};  // several in a tile, one in several tiles, an empty one
    for (const Index window : {0, 5}) {
      const Case c{1, offsets.back(), offsets.back(), 2, 1, 32, causal, 0.3, 1, window, true};
      ops::AttentionShape packed = c.shape();
      packed.batch = std::ssize(offsets) - 1;
      packed.queries = packed.keys = 93;  // the longest sequence
      check_products(c, packed, offsets);
    }
  }
}

TEMPLATE_TEST_CASE("attention: a mask key that counts steps is the key of the step", "[ops][attention]", ReferenceBackend,
                   TestedBackend) {
  Rig<TestType, float> rig;
  const Index* const step = rig.copy(std::vector<Index>{3}).data();
  const RandomKey key{1, 2};
  const auto qkv = rig.random(9, 3 * 8);
  const auto mixed = [&](const MaskKey& mask) {
    const auto out = rig.blank(9, 8);
    const auto head = [&](Index column) { return HeadsView<float>{&qkv(0, column), 1, 8, 9 * 24, 24}; };
    ops::attention_forward(rig.ctx, head(0), head(8), head(16), HeadsView<float>{out.data(), 1, 8, 72, 8}, rig.blank(9),
                           ops::AttentionShape{.batch = 1, .queries = 9, .keys = 9, .dropout = 0.3, .key = mask});
    return std::vector<float>(out.begin(), out.end());
  };
  CHECK(mixed({key, step}) == mixed(key.at_step(3)));
  CHECK(mixed({key, step}) != mixed(key));
}

TEST_CASE("attention: queries that read fewer keys than they are", "[ops][attention][parity]") {
  check_case({2, 5, 3, 2, 1, 4, false});
  check_case({1, 130, 70, 2, 1, 8, false, 0.2, 1, 0, true});
}

TEST_CASE("attention: packed sequences equal the same sequences one by one", "[ops][attention][parity]") {
  for (const Index most : {12, 90})  // short sequences take another code path
    for (const Index window : {0, 4})
      for (const bool causal : {true, false}) {
        CAPTURE(most, causal, window);
        const std::vector<Index> offsets = {0, 1, 1 + most, 1 + most, 1 + most + 5, 2 + most + 5};  // the third is empty
        const Index rows = offsets.back();
        const Case c{5, most, most, 4, 2, 6, causal, 0, 1, window, true};
        const auto run = [&](auto& rig) {
          ops::AttentionShape packed = c.shape();
          packed.offsets = {rig.copy(offsets), rows};
          const Tensors t(rig, Case{1, rows, rows, 4, 2, 6, causal});
          ops::attention_forward(rig.ctx, heads(t.q, 1, 4), heads(t.k, 1, 2), heads(t.v, 1, 2), heads(t.out, 1, 4), t.lse, packed);
          ops::attention_backward(rig.ctx, heads(t.q, 1, 4), heads(t.k, 1, 2), heads(t.v, 1, 2), heads(t.out, 1, 4), t.lse,
                                  heads(t.dout, 1, 4), heads(t.dq, 1, 4), heads(t.dk, 1, 2), heads(t.dv, 1, 2), packed);
        };
        check_op(run);
        check_threads(run);

        Rig<ReferenceBackend, double> all, alone;
        run(all);
        const Tensors one(alone, Case{1, rows, rows, 4, 2, 6, causal});
        for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
          const Index first = offsets[b], length = offsets[b + 1] - first;
          if (length == 0) continue;
          const auto part = [&](const auto& x, Index count) {
            return HeadsView<double>{x.data() + first * x.extent(1), count, 6, 0, x.extent(1)};
          };
          const View<double, dynamic> lse(one.lse.data() + first * 4, length * 4);
          ops::AttentionShape shape = c.shape();
          shape.batch = 1;
          shape.queries = shape.keys = length;
          ops::attention_forward(alone.ctx, part(one.q, 4), part(one.k, 2), part(one.v, 2), part(one.out, 4), lse, shape);
          ops::attention_backward(alone.ctx, part(one.q, 4), part(one.k, 2), part(one.v, 2), part(one.out, 4), lse,
                                  part(one.dout, 4), part(one.dq, 4), part(one.dk, 2), part(one.dv, 2), shape);
        }
        for (std::size_t i = 0; i < all.tensors().size(); ++i) {
          CAPTURE(i);
          CHECK(deviation(alone.tensors()[i], all.tensors()[i]) == 0);
        }
        CHECK(deviation(alone.vectors().at(0), all.vectors().at(0)) == 0);
      }
}

TEST_CASE("attention: a window hides what is further away, ALiBi weighs by distance", "[ops][attention]") {
  constexpr Index tokens = 9;
  for (const bool causal : {true, false}) {
    Case c{1, tokens, tokens, 1, 1, 4, causal, 0, 1, 2, true};
    Rig<ReferenceBackend, double> rig;
    const Tensors t(rig, c);
    std::fill(t.q.begin(), t.q.end(), 0.0);  // ALiBi alone makes the scores
    std::fill(t.v.begin(), t.v.end(), 1.0);
    ops::attention_forward(rig.ctx, heads(t.q, 1, 1), heads(t.k, 1, 1), heads(t.v, 1, 1), heads(t.out, 1, 1), t.lse, c.shape());
    const double m = std::exp2(-8);
    const double before = 1 + std::exp(-m) + std::exp(-2 * m), after = causal ? 0 : before - 1;
    CHECK(t.lse(4) == Approx(std::log(before + after)).epsilon(1e-14));
    CHECK(t.lse(0) == Approx(std::log(1 + after)).margin(1e-14));
  }
}

TEST_CASE("attention: shapes that do not fit are named", "[ops][attention]") {
  Rig<ReferenceBackend, float> rig;
  const auto q = rig.random(3, 12), k = rig.random(3, 8), one = rig.random(3, 4);
  const auto lse = rig.blank(9);
  const auto run = [&](auto keys, Index key_heads, const ops::AttentionShape& shape) {
    ops::attention_forward(rig.ctx, heads(q, 1, 3), heads(keys, 1, key_heads), heads(keys, 1, key_heads), heads(q, 1, 3), lse,
                           shape);
  };
  CHECK_THROWS_WITH(run(k, 2, {1, 3, 3}),
                    "stlm::ops::attention_forward: 3 query heads of 4 cannot share 2 key heads of 4; make the first a multiple "
                    "of the second, of one size, and give every view its heads.");
  CHECK_THROWS_AS(run(k, 1, (ops::AttentionShape{1, 3, 3})), ShapeError);  // heads of 8
  CHECK_THROWS_WITH(run(one, 1, {1, 3, 2}),
                    "stlm::ops::attention_forward: 3 queries with causal masks or windows need as many keys, found 2; "
                    "give more keys.");
  ops::AttentionShape windowed{1, 3, 2};
  windowed.causal = false;
  windowed.window = 1;
  CHECK_THROWS_AS(run(one, 1, windowed), ShapeError);
  ops::AttentionShape blind{1, 3, 0};
  blind.causal = false;
  CHECK_THROWS_WITH(run(one, 1, blind), "stlm::ops::attention_forward: 3 queries and no keys; give at least one.");
  const Place far[] = {{0, 1}};
  ops::AttentionShape beyond{1, 3, 3};
  beyond.places = far;
  CHECK_THROWS_WITH(run(one, 1, beyond),
                    "stlm::ops::attention: sequence 0 has 4 keys, the shape allows 3; give the most that one has.");
  CHECK_THROWS_WITH(run(one, 1, {2, 3, 3}),
                    "stlm::ops::attention_forward: expected room for 18 row sums, found 9; give one a row and head.");
  const auto backward = [&](const auto& dk, auto room) {
    ops::attention_backward(rig.ctx, heads(q, 1, 3), heads(one, 1, 1), heads(one, 1, 1), heads(q, 1, 3), room, heads(q, 1, 3),
                            heads(q, 1, 3), heads(dk, 1, 1), heads(one, 1, 1), {1, 3, 3});
  };
  CHECK_THROWS_AS(backward(k, lse), ShapeError);
  CHECK_THROWS_AS(backward(one, rig.blank(2)), ShapeError);
}

TEST_CASE("attention: packed sequences stand at no places, and sequences that decode have no gradient", "[ops][attention]") {
  Rig<ReferenceBackend, float> rig;
  const auto h = heads(rig.random(3, 4), 1, 1);
  const auto lse = rig.random(3);
  const std::vector<Index> offsets = {0, 3};
  const Place place{0, 0};
  ops::AttentionShape shape{1, 3, 3};
  shape.places = &place;
  CHECK_NOTHROW(ops::attention_forward(rig.ctx, h, h, h, h, lse, shape));
  CHECK_THROWS_WITH(ops::attention_backward(rig.ctx, h, h, h, h, lse, h, h, h, h, shape),
                    "stlm::ops::attention_backward: sequences that decode at places of their own have no gradient; leave the "
                    "places out.");
  shape.offsets = {{offsets.data(), 2}, 3};
  CHECK_THROWS_WITH(ops::attention_forward(rig.ctx, h, h, h, h, lse, shape),
                    "stlm::ops::attention_forward: packed sequences at places of their own are not supported; give places or "
                    "offsets.");
}

TEMPLATE_TEST_CASE("attention: no query heads, nothing to do", "[ops][attention]", ReferenceBackend, CpuBackend) {
  Rig<TestType, float> rig;
  const auto k = rig.random(2 * 30, 4);
  const HeadsView<float> none{k.data(), 0, 4, 0, 0};
  CHECK_NOTHROW(ops::attention_forward(rig.ctx, none, heads(k, 2, 1), heads(k, 2, 1), none, rig.blank(0), {2, 1, 30}));
}

TEST_CASE("attention: in backward, keys of one score have one probability, wherever a window begins", "[ops][attention]") {
  for (const Index window : {24, 31, 37})  // keys begin inside a packet
    for (const double scale : {0.3, 0.7, 1.1, 1.9, 3.1}) {
      CAPTURE(window, scale);
      constexpr Index keys = 60, period = 4;
      Rig<CpuBackend, float> rig;
      const auto q = rig.random(1, 4, scale), k = rig.random(keys, 4), out = rig.blank(1, 4), dout = rig.random(1, 4);
      for (Index j = period; j < keys; ++j) std::copy_n(&k(j - period, 0), 4, &k(j, 0));
      const auto dq = rig.blank(1, 4), dk = rig.blank(keys, 4), dv = rig.blank(keys, 4);
      const auto lse = rig.blank(1);
      ops::AttentionShape shape{1, 1, keys};
      shape.window = window;
      const auto all = heads(k, 1, 1);
      ops::attention_forward(rig.ctx, heads(q, 1, 1), all, all, heads(out, 1, 1), lse, shape);
      ops::attention_backward(rig.ctx, heads(q, 1, 1), all, all, heads(out, 1, 1), lse, heads(dout, 1, 1), heads(dq, 1, 1),
                              heads(dk, 1, 1), heads(dv, 1, 1), shape);
      for (Index j = keys - 1 - window + period; j < keys; ++j) CHECK(dv(j, 0) == dv(j - period, 0));
    }
}

TEMPLATE_TEST_CASE("attention: a packed sequence that is longer than the shape allows is named", "[ops][attention]",
                   ReferenceBackend, CpuBackend) {
  Rig<TestType, float> rig;
  const std::vector<Index> offsets = {0, 40};
  ops::AttentionShape shape{1, 24, 24};
  shape.offsets = {{offsets.data(), 2}, 40};
  const auto x = rig.random(40, 8);
  const auto h = heads(x, 1, 1);
  CHECK_THROWS_WITH(ops::attention_forward(rig.ctx, h, h, h, h, rig.blank(40), shape),
                    "stlm::ops::attention: packed sequence 0 has 40 rows, the shape allows 24; give the most that one has.");
}

TEMPLATE_TEST_CASE("attention: packed sequences of other rows than there are, are named", "[ops][attention]", ReferenceBackend,
                   CpuBackend) {
  Rig<TestType, float> rig;
  const std::string message = "stlm::ops::attention: expected offsets from 0 to 10, the number of rows, found ";
  for (const auto& [offsets, found] : {std::pair<std::vector<Index>, std::string>{{0, 5, 12}, "0 to 12"}, {{0, 5, 9}, "0 to 9"},
                                       {{1, 5, 10}, "1 to 10"}}) {
    ops::AttentionShape shape{2, 10, 10};
    shape.offsets = {{offsets.data(), 3}, 10};
    const auto h = heads(rig.random(10, 8), 1, 1);
    const auto lse = rig.random(10);
    CHECK_THROWS_WITH(ops::attention_forward(rig.ctx, h, h, h, h, lse, shape), message + found + "; give offsets of all rows.");
    CHECK_THROWS_WITH(ops::attention_backward(rig.ctx, h, h, h, h, lse, h, h, h, h, shape),
                      message + found + "; give offsets of all rows.");
  }
}
