// expect: stlm::BatchGenerator: models over patches are continued one text at a time
#include <stlm/backend/reference.hpp>
#include <stlm/infer/batch_generator.hpp>
#include <stlm/infer/patch_generator.hpp>
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};
using Model = stlm::ByteLevelModel<Config>;

#ifdef STLM_FIXED
using Generator = stlm::PatchGenerator<Model, stlm::ReferenceBackend>;
#else
using Generator = stlm::BatchGenerator<Model, stlm::ReferenceBackend>;
#endif

constexpr auto size = sizeof(Generator);
