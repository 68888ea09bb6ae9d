// Models over patches against PyTorch's: the reference with all its faults, and the corrected model with each head.
#include "golden/models.hpp"

#include <stlm/models/byte_level_model.hpp>

namespace {

using namespace stlm;

struct Small : ByteLevelDefaults {
  static constexpr int dim = 16, layers = 2, heads = 4, kv_heads = 2, ffn_dim = 10;
  static constexpr int byte_dim = 8, byte_window = 5;
  using pool = ByteMean<2, 2, 2>;
  using byte_head = Autoregressive<2, 2, 2>;
};

struct Spaces {
  static constexpr const char* file = "byte_level_spaces.safetensors";
  static constexpr Index batch = 2, tokens = 6;
  using Model = ByteLevelModel<Small>;
};

struct TokenEnds : Small {
  using boundary = TokenBoundary;
};
struct Tokens : Spaces {
  static constexpr const char* file = "byte_level_tokens.safetensors";
  using Model = ByteLevelModel<TokenEnds>;
};

struct AllAtOnce : TokenEnds {
  using byte_head = Parallel<2, 2>;
  using reconstruction = WithReconstruction<>;
};
struct ParallelHead : Spaces {
  static constexpr const char* file = "byte_level_parallel.safetensors";
  using Model = ByteLevelModel<AllAtOnce>;
};

struct WithFaults : AllAtOnce {
  using bytes = ReferenceQuirks;
  using pool = ReferenceByteMean;
  using byte_head = Parallel<2, 8>;
};
struct Reference : Spaces {
  static constexpr const char* file = "byte_level_reference.safetensors";
  using Model = ByteLevelModel<WithFaults>;
};

struct FixedStrideConfig : Small {
  static constexpr int byte_window = 4;
  using boundary = FixedStride<4>;
  using pool = EmbeddingMean<6>;
  using byte_head = LinearBytes;
};
struct Strides : Spaces {
  static constexpr const char* file = "byte_level_stride.safetensors";
  using Model = ByteLevelModel<FixedStrideConfig>;
};

}  // namespace

TEMPLATE_TEST_CASE("models over patches equal PyTorch's", "[golden]", golden::ReferenceDouble, golden::EigenDouble,
                   golden::EigenFloat) {
  golden::check_model<Spaces, TestType>();
  golden::check_model<Tokens, TestType>();
  golden::check_model<ParallelHead, TestType>();
  golden::check_model<Reference, TestType>();
  golden::check_model<Strides, TestType>();
}
