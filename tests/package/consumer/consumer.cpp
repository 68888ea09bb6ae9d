// A user's program: it trains the user's own model for one step. Everything it needs must come from stlm::stlm.
#include <cstdio>

#include <stlm/backend/eigen.hpp>
#include <stlm/stlm.hpp>

struct Tiny : stlm::ByteModelDefaults {
  static constexpr int dim = 16, layers = 2, heads = 2, ffn_dim = 32;
};
using Model = stlm::ByteModel<Tiny>;
using Backend = stlm::EigenBackend;

int main() {
  constexpr stlm::BatchShape shape{.batch = 1, .tokens = 8};
  stlm::Context<Backend> ctx({.threads = 2, .seed = 1});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, shape);
  stlm::AdamW<Model, Backend> opt(ctx, {.lr = 1e-2});
  stlm::init(ctx, params);

  const stlm::Token text[] = {'o', 'n', 'e', ' ', 's', 't', 'e', 'p', '.'};
  const stlm::Batch batch{{text, 1, 8}, {text + 1, 1, 8}};
  const float before = stlm::forward(ctx, params, batch, acts);
  stlm::backward(ctx, params, batch, acts, grads);
  opt.step(ctx, params, grads);
  const float after = stlm::forward(ctx, params, batch, acts);

  std::printf("%d.%d.%d: loss %.4f, after one step %.4f\n", STLM_VERSION_MAJOR, STLM_VERSION_MINOR, STLM_VERSION_PATCH,
              double{before}, double{after});
  return after < before ? 0 : 1;
}
