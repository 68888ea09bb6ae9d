// All layers of the core share one feed-forward layer, to which each adds its own low-rank terms.
#include "patches.hpp"

struct SharedLoraPatches : quality::Patches {
  static constexpr int layers = 6, ffn_dim = 496;
  using ffn_sharing = stlm::SharedAcrossLayers<stlm::Lora</*rank=*/4>>;
};

int main(int argc, char** argv) {
  return quality::run_patches<SharedLoraPatches>("quality_patches_shared_lora", argc, argv);
}
