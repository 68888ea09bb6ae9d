// expect: stlm::PatchModel: WithReconstruction needs a head that predicts all slots at once
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 16, byte_dim = 16;
  using reconstruction = stlm::WithReconstruction<>;
#ifdef STLM_FIXED
  using byte_head = stlm::Parallel<>;
#endif
};

constexpr stlm::Index size = stlm::ByteLevelModel<Config>::vocabulary;
