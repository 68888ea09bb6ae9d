// The whole model: gradients, backends, threads, memory, batches of several shapes.
#include <stlm/models/next_thought_model.hpp>

#include <stlm/train/adamw.hpp>
#include <stlm/train/clip.hpp>
#include <stlm/train/muon.hpp>

#include <cstring>

#include "models/small_next_thought.hpp"
#include "support/allocation_counter.hpp"
#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// A model on fixed pairs, as a subject: y are the losses of the answer tokens; all elements of dy are equal.
template <class M>
struct Subject : M {
  static constexpr Index in = 0, out = 1;

  static SomePairs pairs(const Pass& pass) { return {{pass.batch, pass.tokens}, pass.tokens, M::ignore}; }

  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>, View<T, dynamic, out> y,
                      C& cache) {
    const SomePairs some = pairs(pass);
    M::forward(ctx, p, pass, some.view(), cache);
    std::copy(cache.losses.begin(), cache.losses.end(), y.begin());
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>,
                       View<const T, dynamic, out> dy, View<T, dynamic, in>, const C& cache, const P& grads) {
    const SomePairs some = pairs(pass);
    M::backward(ctx, p, pass, some.view(), cache, grads, static_cast<double>(real_part(dy(0, 0))));
  }
};

template <class M, class B, class T = double>
struct Training {
  Context<B> ctx;
  Parameters<M, B, T> params{ctx}, grads{ctx};
  explicit Training(int threads = 1) : ctx({.threads = threads, .seed = 5}) { fill(params.flat(), {1, 1}, 0.5); }

  T run(Activations<M, B, T>& acts, const PairBatch& batch, double weight = 1, ForwardOptions options = {}) {
    const T loss = stlm::forward(ctx, params, batch, acts, options);
    stlm::backward(ctx, params, batch, acts, grads, weight);
    return loss;
  }
};

/// Wide enough for every op to split its work.
struct WideConfig : ThoughtConfig {
  static constexpr int vocabulary = 258, dim = 96, heads = 4, ffn_dim = 200, max_tokens = 80;
  static constexpr Token pad = 256;
  static constexpr PoolShape pools[] = {{128, 300}, {192, 500}};
};
using Wide = NextThought<WideConfig>;

}  // namespace

TEMPLATE_TEST_CASE("NextThoughtModel: gradients", "[models][next_thought_model][gradient]", Thought, QuirkyThought) {
  check_gradients<Subject<TestType>>({3, 5}, 0, Derivatives::kAlongDirections);
  check_gradients<Subject<TestType>>({2, 4}, 0.3, Derivatives::kAlongDirections);
}

TEMPLATE_TEST_CASE("NextThoughtModel: backends agree", "[models][next_thought_model][parity]", Thought, QuirkyThought) {
  for (const BatchShape shape : {BatchShape{1, 1}, {3, 7}, {5, 33}})
    for (const double dropout : {0.0, 0.2}) {
      Fixture<Subject<TestType>, ReferenceBackend, double> expected(shape, dropout);
      run_twice(expected);
      compare_backends<Subject<TestType>, float>(expected, shape, dropout);
      compare_backends<Subject<TestType>, double>(expected, shape, dropout);
    }
}

TEMPLATE_TEST_CASE("forward: the mean over answer tokens that count, whatever shares the batch",
                   "[models][next_thought_model]", ReferenceBackend, EigenBackend) {
  Training<Thought, TestType> together, alone;
  Activations<Thought, TestType, double> acts(together.ctx, {5, 20}), one(alone.ctx, {1, 30});
  const SomePairs pairs({5, 20}, 7, Thought::ignore);
  Index tokens = 0, question = 0;
  double sum = 0;
  const auto counted = [&](Index b) {
    const auto first = pairs.answers.begin() + b * 7;
    return 7 - std::count(first, first + 7, Thought::ignore);
  };
  for (Index b = 0; b < 5; ++b) tokens += counted(b);
  for (Index b = 0; b < 5; question += pairs.lengths[static_cast<std::size_t>(b++)]) {
    const Index length = pairs.lengths[static_cast<std::size_t>(b)], count = counted(b);  // of its unpadded answer
    const PairBatch single{{pairs.questions.data() + question, Extents<dynamic>(length)},
                           {pairs.lengths.data() + b, Extents<dynamic>(1)},
                           {pairs.answers.data() + b * 7, 1, count}};
    const double weight = static_cast<double>(count) / static_cast<double>(tokens);
    sum += weight * alone.run(one, single, weight);
  }
  CHECK(together.run(acts, pairs.view()) == Approx(sum).epsilon(1e-13));
  CHECK(deviation(alone.grads.flat(), together.grads.flat()) < 1e-12);
  CHECK(tokens < 35);  // some answers were padded
}

TEST_CASE("forward: no answer that counts, no gradient", "[models][next_thought_model]") {
  Training<Thought, EigenBackend> training;
  Activations<Thought, EigenBackend, double> acts(training.ctx, {2, 5});
  SomePairs pairs({2, 5}, 3, Thought::ignore);
  std::fill(pairs.answers.begin(), pairs.answers.end(), Thought::ignore);
  CHECK(training.run(acts, pairs.view()) == 0);
  for (const double g : training.grads.flat()) CHECK(g == 0);
}

TEST_CASE("forward: refuses batches that do not fit, and draws no masks for them", "[models][next_thought_model]") {
  Training<Thought, ReferenceBackend> training;
  Activations<Thought, ReferenceBackend, double> acts(training.ctx, {2, 5});
  const SomePairs fewer({1, 5}, 5, 10), longer({2, 5}, 6, 10);
  CHECK_THROWS_WITH(training.run(acts, fewer.view(), 1, {.dropout = 0.5}),
                    "stlm::NextThoughtModel: expected 2 answers of 1 to 5 tokens, found 1 of 5; build Activations for the "
                    "batch's shape.");
  CHECK_THROWS_WITH(training.run(acts, longer.view()),
                    "stlm::NextThoughtModel: expected 2 answers of 1 to 5 tokens, found 2 of 6; build Activations for the "
                    "batch's shape.");
  SomePairs wrong({2, 5}, 5, 10);
  wrong.questions[1] = 11;
  CHECK_THROWS_WITH(training.run(acts, wrong.view(), 1, {.dropout = 0.5}),
                    "stlm::ops::embedding_forward: token 1 is 11, expected an id in [0, 11); check the tokenizer against the "
                    "model's vocabulary.");
  CHECK(training.ctx.random().counter() == 0);

  const SomePairs right({2, 5}, 5, 10);
  forward(training.ctx, training.params, right.view(), acts);
  const std::vector<Index> lengths = {20, 20};
  const std::vector<Token> questions(40, 3);
  const PairBatch other{{questions.data(), Extents<dynamic>(40)}, {lengths.data(), Extents<dynamic>(2)}, right.view().answers};
  CHECK_THROWS_AS(backward(training.ctx, training.params, other, acts, training.grads), ShapeError);
}

TEST_CASE("NextThoughtModel: the same bits for any number of threads", "[models][next_thought_model][threads]") {
  const SomePairs pairs({6, 70}, 12, Wide::ignore);
  const auto step = [&](int threads) {
    Training<Wide, EigenBackend, float> training(threads);
    Activations<Wide, EigenBackend, float> acts(training.ctx, {6, 70});
    std::vector<float> result(1);
    init(training.ctx, training.params);
    for (int i = 0; i < 2; ++i) result[0] = training.run(acts, pairs.view(), 1, {.dropout = 0.1});
    result.insert(result.end(), training.grads.flat().begin(), training.grads.flat().end());
    return result;
  };
  const auto one = step(1);
  CHECK(std::isfinite(one[0]));
  for (const int threads : many_threads) {
    const auto many = step(threads);
    CAPTURE(threads);
    CHECK(std::memcmp(many.data(), one.data(), one.size() * sizeof(float)) == 0);
  }
}

TEMPLATE_TEST_CASE("NextThoughtModel: a training step allocates nothing", "[models][next_thought_model][allocation]",
                   (AdamW<Wide, EigenBackend>), (Muon<Wide, EigenBackend>)) {
  if (!counting) return;
  Training<Wide, EigenBackend, float> training(2);
  Activations<Wide, EigenBackend, float> acts(training.ctx, {4, 40});
  TestType optimizer(training.ctx, {});
  const SomePairs first({4, 40}, 12, Wide::ignore), second({4, 30}, 40, Wide::ignore, 2);
  init(training.ctx, training.params);
  const long count = count_allocations([&] {
    for (const SomePairs* pairs : {&first, &second}) {
      training.grads.zero(training.ctx);
      training.run(acts, pairs->view(), 1, {.dropout = 0.1});
      clip_grad_norm(training.ctx, training.params, training.grads, 1, 0);
      optimizer.step(training.ctx, training.params, training.grads);
    }
  });
  CHECK(count == 0);
}
