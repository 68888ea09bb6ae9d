// expect: stlm::save, stlm::load: expected parameters of float or double
#include <stlm/backend/eigen.hpp>
#include <stlm/io/weights.hpp>
#include <stlm/models/byte_model.hpp>

struct Tiny : stlm::ByteModelDefaults {
  static constexpr int dim = 8, layers = 1, heads = 1, ffn_dim = 8;
};
#ifdef STLM_FIXED
using Scalar = float;
#else
using Scalar = stlm::Bfloat16;
#endif

void keep(const stlm::Parameters<stlm::ByteModel<Tiny>, stlm::EigenBackend, Scalar>& params) {
  stlm::save(params, "weights.safetensors");
}
