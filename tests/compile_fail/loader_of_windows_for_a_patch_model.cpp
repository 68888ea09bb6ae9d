// expect: stlm::ByteLoader: this is a model over patches
#include <stlm/data/byte_loader.hpp>
#include <stlm/data/patch_loader.hpp>
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};
using Model = stlm::ByteLevelModel<Config>;

#ifdef STLM_FIXED
using Loader = stlm::PatchLoader<Model>;
#else
using Loader = stlm::ByteLoader<Model>;
#endif

constexpr auto size = sizeof(Loader);
