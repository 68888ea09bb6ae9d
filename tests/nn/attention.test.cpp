#include <stlm/nn/attention.hpp>

#include <stlm/nn/lora.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using HalfSplit = Rotary<RopePairs::kHalfSplit>;

/// Linear layers that list W as "u", and beside it a matrix of as many rows that are not their outputs.
struct OtherNames {
  template <Index In, Index Out>
  struct Linear : stlm::Linear<In, Out> {
    template <class T>
    struct Params : stlm::Linear<In, Out>::template Params<T> {
      Matrix<T, Out, 3> inside;
    };
    template <class V, class P>
    static constexpr void visit(V& v, const Path& path, P& p) {
      v(path / "u", p.weight, ParameterSpec::matrix(In));
      v(path / "inside", p.inside, ParameterSpec::matrix(3).inner());
    }
  };
};

template <Index Heads, Index KvHeads, class Position = Rotary<>, class Mask = Causal, class Linears = NoBias>
using Layer = Leaf<Attention<6, Heads, KvHeads, 4, Position, Mask, Linears>, 6>;  // Heads * 4 differs from 6

}  // namespace

static_assert(Module<Attention<6, 4, 2, 4>>);
static_assert(num_params<Attention<6, 4, 4, 4>> == 6 * 48 + 16 * 6);
static_assert(num_params<Attention<6, 4, 2, 4>> == 6 * (16 + 2 * 8) + 16 * 6);
static_assert(num_params<Attention<6, 4, 1, 4, NoPosition, Causal, WithBias>> == 6 * 24 + 24 + 16 * 6 + 6);
static_assert(Attention<6, 4, 2, 4>::flops_per_token(10) == 2 * 6 * 32 + 2 * 16 * 6 + 2 * 10 * 16);
static_assert(Attention<6, 4, 2, 4, Rotary<>, SlidingWindow<5>>::flops_per_token(10) == 2 * 6 * 32 + 2 * 16 * 6 + 4 * 3.75 * 16);
static_assert(Attention<6, 4, 2, 4, Rotary<>, SlidingWindow<50>>::flops_per_token(10) == Attention<6, 4, 2, 4>::flops_per_token(10));
static_assert(Attention<6, 4, 2, 4, NoPosition, Bidirectional>::flops_per_token(10) == 2 * 6 * 32 + 2 * 16 * 6 + 4 * 10 * 16);

TEMPLATE_TEST_CASE("Attention: gradients of multi-head, grouped and multi-query", "[nn][attention][gradient]",
                   (Layer<4, 4>), (Layer<4, 2>), (Layer<4, 1>), (Layer<1, 1>)) {
  check_gradients<TestType>({2, 3});
}

TEMPLATE_TEST_CASE("Attention: gradients with every position, mask and linear layer", "[nn][attention][gradient]",
                   (Layer<2, 1, HalfSplit>), (Layer<2, 1, NoPosition>), (Layer<2, 1, NoPosition, Bidirectional>),
                   (Layer<2, 1, Rotary<>, Bidirectional>), (Layer<2, 1, Rotary<>, Causal, WithBias>),
                   (Layer<2, 1, Rotary<>, Causal, WithLora<Lora<2>>>), (Layer<2, 1, Rotary<>, SlidingWindow<1>>),
                   (Layer<2, 1, Alibi, SlidingWindow<1, false>>), (Layer<3, 3, Alibi>)) {
  check_gradients<TestType>({2, 3});
  check_gradients<TestType>({1, 4}, 0.3);
}

TEST_CASE("Attention: backends agree", "[nn][attention][parity]") {
  check_backends<Layer<4, 2>>();
  check_backends<Layer<3, 1, HalfSplit, Bidirectional, WithBias>>(0.2);
  check_backends<Layer<3, 1, Alibi, SlidingWindow<20>>>(0.2);
}

TEST_CASE("Attention: the first of causal tokens sees itself alone", "[nn][attention]") {
  Fixture<Layer<1, 1>, ReferenceBackend, double> f({1, 3});
  f.forward();
  const auto& c = f.acts.cache();
  for (Index d = 0; d < 4; ++d) CHECK(c.mixed(0, d) == Approx(c.qkv(0, 8 + d)).epsilon(1e-15));  // its own value
}

// Half-split rotary on weights whose rows are permuted within each head, (2i, 2i+1) -> (i, i + D/2), is adjacent rotary:
// how weights move between the two conventions.
TEST_CASE("Attention: a permutation of weights turns half-split into adjacent pairs", "[nn][attention]") {
  constexpr Index dim = 6, heads = 4, kv_heads = 2, size = 4;
  Fixture<Layer<heads, kv_heads>, ReferenceBackend, double> adjacent({2, 5});
  Fixture<Layer<heads, kv_heads, HalfSplit>, ReferenceBackend, double> half({2, 5});
  for (Index row = 0; row < (heads + kv_heads) * size; ++row) {
    const Index i = row % size, target = row - i + i / 2 + i % 2 * size / 2;
    for (Index c = 0; c < dim; ++c) half.params.tree().qkv.weight(target, c) = adjacent.params.tree().qkv.weight(row, c);
  }
  adjacent.forward();
  half.forward();
  CHECK(deviation(adjacent.y, half.y) < 1e-14);
}

TEST_CASE("Attention: dropout drops by its key, and does nothing at rate 0", "[nn][attention]") {
  const auto result = [](double rate, RandomKey key) {
    Fixture<Layer<4, 2>, EigenBackend, float> f({2, 5}, rate);
    f.acts.pass().key = key;
    f.forward();
    return std::vector<float>(f.y.begin(), f.y.end());
  };
  const auto with = result(0.5, {3, 4}), without = result(0, {3, 4});
  CHECK(deviation(without, with) > 0.01);
  CHECK(deviation(with, result(0.5, {5, 6})) > 0.01);
  CHECK(result(0.5, {3, 4}) == with);
  CHECK(result(0, {5, 6}) == without);
}

TEST_CASE("Attention: the rows of Q, K and V are told apart by what a tensor is, not by its name", "[nn][attention]") {
  Context<ReferenceBackend> ctx;
  Parameters<Layer<4, 2, Rotary<>, Causal, OtherNames>, ReferenceBackend> params(ctx);
  std::vector<std::string> stacked;
  params.for_each([&](const Path& path, const auto&, const ParameterSpec& spec) {
    if (spec.row_parts == std::array<Index, 3>{16, 8, 8}) stacked.push_back(path.str());
  });
  CHECK(stacked == std::vector<std::string>{"qkv.u"});
}
