// All layers of the core share one feed-forward layer; the saved parameters go into two more layers and into its width.
#include "patches.hpp"

struct SharedPatches : quality::Patches {
  static constexpr int layers = 6, ffn_dim = 576;
  using ffn_sharing = stlm::SharedAcrossLayers<>;
};

int main(int argc, char** argv) { return quality::run_patches<SharedPatches>("quality_patches_shared", argc, argv); }
