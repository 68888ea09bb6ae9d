// Decoding with a KV cache equals the full forward pass up to rounding.

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/planned.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// The deviation of the logits of `batch` sequences decoded in pieces of the given sizes from those of one full pass.
template <class Model, class B, class T>
double decode_error(const std::vector<Index>& pieces, Index batch, Index capacity) {
  Index tokens = 0;
  for (const Index piece : pieces) tokens += piece;
  Context<B> ctx({.threads = 2, .seed = 1});
  Parameters<Model, B, T> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  Activations<Model, B, T> full(ctx, {batch, tokens});
  const SomeBatch data({batch, tokens}, Model::vocabulary);
  Model::logits(ctx, params.tree(), full.pass(), data.view().tokens, full.cache());
  const auto& expected = full.cache().head.logits;

  const DecodeState<Model, T> state(batch, capacity);
  std::vector<T> found(static_cast<std::size_t>(expected.size()));
  Index position = 0;
  for (const Index piece : pieces) {
    std::vector<Token> next;
    for (Index b = 0; b < batch; ++b)
      for (Index t = 0; t < piece; ++t) next.push_back(data.view().tokens(b, position + t));
    Activations<Model, B, T> acts(ctx, {batch, piece});
    Model::decode(ctx, params.tree(), Pass{batch, piece, position}, {next.data(), batch, piece}, acts.cache(), state.cache);
    for (Index b = 0; b < batch; ++b)
      std::copy_n(&acts.cache().head.logits(b * piece, 0), piece * Model::vocabulary,
                  found.begin() + (b * tokens + position) * Model::vocabulary);
    position += piece;
  }
  return deviation(expected, found);
}

}  // namespace

TEMPLATE_TEST_CASE("decode: equals the full pass, token by token, after a prompt, and in pieces", "[models][decode]", Plain,
                   Grouped, Learned, Sinusoidal, Unordered, Interior, Repeated, Lean, Mixture, Windowed, Mixed, Experts) {
  const std::vector<Index> one_by_one(9, 1), after_prompt = {70, 1, 1, 1}, in_pieces = {3, 66, 5};
  for (const auto& pieces : {one_by_one, after_prompt, in_pieces}) {
    CAPTURE(pieces);
    CHECK(decode_error<TestType, EigenBackend, float>(pieces, 1, 90) < 1e-5);
    CHECK(decode_error<TestType, EigenBackend, double>(pieces, 3, 90) < 1e-13);
    CHECK(decode_error<TestType, ReferenceBackend, double>(pieces, 2, 74) < 1e-13);
  }
}

TEMPLATE_TEST_CASE("decode: of the last token alone, for several sequences", "[models][decode]", Plain, Learned) {
  Context<ReferenceBackend> ctx;
  Parameters<TestType, ReferenceBackend> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  const SomeBatch batch({3, 4}, TestType::vocabulary);
  const DecodeState<TestType> state(3, 8);
  const auto decoded = [&](bool last) {
    Pass pass{3, 4};
    pass.last = last;
    const Planned<TestType, float> planned(pass);
    TestType::decode(ctx, params.tree(), pass, batch.view().tokens, planned.cache, state.cache);
    const auto& logits = planned.cache.head.logits;
    return std::vector<float>(logits.begin(), logits.end());
  };
  const std::vector<float> all = decoded(false), last = decoded(true);
  constexpr Index row = TestType::vocabulary;
  REQUIRE(std::ssize(last) == 3 * row);
  for (Index b = 0; b < 3; ++b)
    CHECK(std::equal(last.begin() + b * row, last.begin() + (b + 1) * row, all.begin() + (4 * b + 3) * row));
}
