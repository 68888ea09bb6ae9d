// expect: stlm::evaluate: this is a model over patches
#include <stlm/backend/reference.hpp>
#include <stlm/models/byte_level_model.hpp>
#include <stlm/train/evaluate.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};
using Model = stlm::ByteLevelModel<Config>;
using Backend = stlm::ReferenceBackend;

#ifdef STLM_FIXED
using Text = stlm::PatchText;
#else
using Text = stlm::ByteText;
#endif

double score(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params,
             stlm::Activations<Model, Backend>& acts, const Text& text) {
  return stlm::evaluate(ctx, params, acts, text).nats;
}
