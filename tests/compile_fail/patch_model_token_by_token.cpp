// expect: stlm::Generator: this is a model over patches
#include <stlm/backend/eigen.hpp>
#include <stlm/infer/generator.hpp>
#include <stlm/infer/patch_generator.hpp>
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};
using Model = stlm::ByteLevelModel<Config>;

#ifdef STLM_FIXED
using Generator = stlm::PatchGenerator<Model, stlm::EigenBackend>;
#else
using Generator = stlm::Generator<Model, stlm::EigenBackend>;
#endif

constexpr auto size = sizeof(Generator);
