// Changing token t changes no logit before t, bit for bit, and some logit from t on.

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include <cstring>

#include "support/catch.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct Changed {
  bool before = false, after = false;  // whether any bit of a logit changes before the token, or from it on
};

/// Compares the logits of two sequences with those after token `t` of the second one is changed.
template <class Model, class B>
Changed change_token(Index t, Index tokens) {
  Context<B> ctx({.threads = 2, .seed = 1});
  Parameters<Model, B> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  Activations<Model, B> acts(ctx, {2, tokens});
  SomeBatch batch({2, tokens}, Model::vocabulary);
  const auto logits = [&] {
    Model::logits(ctx, params.tree(), acts.pass(), batch.view().tokens, acts.cache());
    const auto view = acts.cache().head.logits;
    return std::vector<float>(view.begin(), view.end());
  };
  const std::vector<float> old = logits();
  const auto place = static_cast<std::size_t>(tokens + t);
  batch.tokens[place] = (batch.tokens[place] + 1) % static_cast<Token>(Model::vocabulary);
  const std::vector<float> now = logits();
  const std::size_t cut = place * static_cast<std::size_t>(Model::vocabulary);
  return {std::memcmp(old.data(), now.data(), cut * sizeof(float)) != 0,
          std::memcmp(old.data() + cut, now.data() + cut, (old.size() - cut) * sizeof(float)) != 0};
}

constexpr Index tokens = 70;  // longer than a tile of attention
constexpr Index places[] = {0, 1, 31, 32, 63, 64, 68, 69};

template <class Model, class B>
void check_causality() {
  for (const Index t : places) {
    CAPTURE(t);
    const Changed changed = change_token<Model, B>(t, tokens);
    CHECK_FALSE(changed.before);
    CHECK(changed.after);
  }
}

}  // namespace

TEMPLATE_TEST_CASE("causality: no logit depends on what comes after it", "[models][causality]", Plain, Grouped, Learned,
                   Sinusoidal, Unordered, Interior, Repeated, Lean, Mixture, Windowed, Mixed, Experts) {
  check_causality<TestType, EigenBackend>();
  check_causality<TestType, ReferenceBackend>();
}

TEMPLATE_TEST_CASE("causality: the check finds a model that sees its future", "[models][causality]", EigenBackend,
                   ReferenceBackend) {
  for (const Index t : {Index{1}, tokens - 1}) CHECK(change_token<TwoWay, TestType>(t, tokens).before);
}
