// expect: stlm::evaluate: this model sees the token that it is to predict
#include <stlm/backend/reference.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/train/evaluate.hpp>

struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
#ifndef STLM_FIXED
  using mask = stlm::Bidirectional;
#endif
};
using Model = stlm::ByteModel<Config>;
using Backend = stlm::ReferenceBackend;

double score(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params, stlm::Activations<Model, Backend>& acts,
             const stlm::ByteText& text) {
  return stlm::evaluate(ctx, params, acts, text).nats;
}
