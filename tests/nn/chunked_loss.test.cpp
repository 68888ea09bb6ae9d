#include <stlm/nn/chunked_loss.hpp>

#include <stlm/models/program.hpp>

#include "support/backend_parity.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// A model of 11 tokens that holds the logits of at most `Rows` rows in memory at once.
template <Index Rows, class Tying>
using OfRows = LanguageModel<TokenEmbedding<11, 8>, Plain::Core, Head<RmsNorm<8>, 8, 11, Tying, true, 11 * Rows>>;

using Few = Head<RmsNorm<8>, 8, 11, Tied, false, 35>;
static_assert(Few::rows_at_once(1) == 1 && Few::rows_at_once(3) == 3);  // 33 of at most 35 logits
static_assert(Few::rows_at_once(4) == 2 && Few::rows_at_once(7) == 3 && Few::rows_at_once(8) == 3);
static_assert(activation_bytes<OfRows<3, Tied>>({4, 64}) < activation_bytes<OfRows<256, Tied>>({4, 64}));

template <class Model, class B>
struct Gradients {
  Context<B> ctx{ContextOptions{.threads = 1, .seed = 5}};
  Parameters<Model, B, double> params{ctx}, grads{ctx};
  double loss;
  std::vector<double> losses;

  Gradients(const SomeBatch& batch, bool at_once) {
    init(ctx, params);
    Activations<Model, B, double> acts(ctx, batch.shape);
    if (at_once) {
      loss = forward_backward(ctx, params, batch.view(), acts, grads, 0.5);
    } else {
      loss = forward(ctx, params, batch.view(), acts);
      backward(ctx, params, batch.view(), acts, grads, 0.5);
    }
    losses.assign(acts.cache().losses.begin(), acts.cache().losses.end());
    CHECK(acts.targets() == std::ssize(losses) - 1);
  }
};

template <class B, class Tying>
void check() {
  SomeBatch batch({2, 7}, 11);
  batch.targets[4] = -1;
  const Gradients<OfRows<100, Tying>, B> expected(batch, false);
  const auto agree = [&](const auto& found) {
    CHECK(found.loss == Approx(expected.loss).epsilon(1e-14));
    CHECK(deviation(expected.losses, found.losses) < 1e-13);
    CHECK(deviation(expected.grads.flat(), found.grads.flat()) < 1e-13);
  };
  agree(Gradients<OfRows<100, Tying>, B>(batch, true));
  agree(Gradients<OfRows<5, Tying>, B>(batch, false));
  agree(Gradients<OfRows<5, Tying>, B>(batch, true));
  agree(Gradients<OfRows<1, Tying>, B>(batch, true));
}

}  // namespace

TEMPLATE_TEST_CASE("ChunkedLoss: chunks give the loss and the gradients of the whole", "[nn][chunked_loss]",
                   ReferenceBackend, EigenBackend) {
  check<TestType, Tied>();
  check<TestType, Untied>();
}

TEST_CASE("ChunkedLoss: a target that does not exist is refused before the first chunk", "[nn][chunked_loss]") {
  using Model = OfRows<3, Tied>;
  Context<EigenBackend> ctx({.seed = 5});
  Parameters<Model, EigenBackend> params(ctx), grads(ctx);
  init(ctx, params);
  SomeBatch batch({1, 7}, 11);
  batch.targets[6] = 11;
  Activations<Model, EigenBackend> acts(ctx, batch.shape);
  CHECK_THROWS_WITH(forward_backward(ctx, params, batch.view(), acts, grads),
                    "stlm::ops::cross_entropy_forward: token 6 is 11, expected an id in [0, 11); check the tokenizer against the "
                    "model's vocabulary.");
  for (const float g : grads.flat()) CHECK(g == 0);
}

TEST_CASE("ChunkedLoss: logits of more rows than fit are refused", "[nn][chunked_loss]") {
  using Model = OfRows<3, Tied>;
  Context<EigenBackend> ctx;
  Parameters<Model, EigenBackend> params(ctx);
  const SomeBatch batch({1, 7}, 11);
  Activations<Model, EigenBackend> acts(ctx, batch.shape);
  CHECK_THROWS_AS(Model::logits(ctx, params.tree(), acts.pass(), batch.view().tokens, acts.cache()), ShapeError);
}
