// expect: `norm` lacks WithDim
#include <stlm/models/byte_model.hpp>

struct OneWidth : stlm::NoNorm<16> {
#ifndef STLM_FIXED
 private:
  template <stlm::Index>
  using WithDim = void;
#endif
};
struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
  using norm = OneWidth;
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteModel<Config>>;
