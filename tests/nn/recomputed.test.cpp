#include <stlm/nn/recomputed.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/models/program.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

template <class Norm>
struct Config : ByteModelDefaults {
  static constexpr int dim = 16, layers = 3, heads = 2, ffn_dim = 24;
  using norm = Norm;
};
template <class Norm>
using Model = ByteModel<Config<Norm>>;

/// The loss of one batch, and the gradient of every parameter.
template <class Norm>
std::vector<float> gradients() {
  Context<EigenBackend> ctx({.threads = 2, .seed = 3});
  Parameters<Model<Norm>, EigenBackend> params(ctx), grads(ctx);
  init(ctx, params);
  Activations<Model<Norm>, EigenBackend> acts(ctx, {2, 8});
  std::vector<Token> tokens(17);
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<Token>(i * i % 251);
  const Batch batch{{tokens.data(), 2, 8}, {tokens.data() + 1, 2, 8}};
  std::vector<float> all{forward_backward(ctx, params, batch, acts, grads, 1, {0.1, RandomKey{5, 6}})};
  all.insert(all.end(), grads.flat().begin(), grads.flat().end());
  return all;
}

template <class Norm>
constexpr std::size_t saved =
    activation_bytes<Model<Norm>>({2, 8}) - activation_bytes<Model<Recomputed<Norm>>>({2, 8});

}  // namespace

static_assert(std::is_same_v<Recomputed<RmsNorm<1>>::WithDim<8>, Recomputed<RmsNorm<8>>>);
// Saved are two rows for each token and layer, less the two rows that all layers share.
static_assert(saved<RmsNorm<1>> == (3 - 1) * 2 * (2 * 8 * 16) * sizeof(float));

TEMPLATE_TEST_CASE("Recomputed: the same loss and gradients, to the bit", "[nn][recomputed]", RmsNorm<1>, LayerNorm<1>,
                   NoNorm<1>) {
  const std::vector<float> kept = gradients<TestType>(), again = gradients<Recomputed<TestType>>();
  CHECK(kept == again);
  CHECK(std::ranges::any_of(kept, [](float g) { return g != 0; }));
}
