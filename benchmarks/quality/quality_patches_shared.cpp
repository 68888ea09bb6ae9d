// One feed-forward layer for all layers of the core: what that saves is spent on two layers more, and on its width.
#include "patches.hpp"

struct SharedPatches : quality::Patches {
  static constexpr int layers = 6, ffn_dim = 576;
  using ffn_sharing = stlm::SharedAcrossLayers<>;
};

int main(int argc, char** argv) { return quality::run_patches<SharedPatches>("quality_patches_shared", argc, argv); }
