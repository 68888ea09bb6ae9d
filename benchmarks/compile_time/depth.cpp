// A model of STLM_DEPTH layers, trained for one step: the compile time must not depend on the depth.
#include <stlm/backend/eigen.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/models/program.hpp>
#include <stlm/train/adamw.hpp>

struct Deep : stlm::ByteModelDefaults {
  static constexpr int dim = 64, layers = STLM_DEPTH, heads = 4, ffn_dim = 128;
};
using Model = stlm::ByteModel<Deep>;
using Backend = stlm::EigenBackend;

int main() {
  stlm::Context<Backend> ctx;
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, {.batch = 1, .tokens = 8});
  stlm::AdamW<Model, Backend> opt(ctx);
  stlm::init(ctx, params);
  const stlm::Token text[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const stlm::Batch batch{{text, 1, 8}, {text + 1, 1, 8}};
  const float loss = stlm::forward(ctx, params, batch, acts);
  stlm::backward(ctx, params, batch, acts, grads);
  opt.step(ctx, params, grads);
  return loss > 0 ? 0 : 1;
}
