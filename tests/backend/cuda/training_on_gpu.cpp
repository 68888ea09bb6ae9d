// The losses of EigenBackend for training_on_gpu.test.cu, which is compiled without Eigen.
#include <stlm/backend/eigen.hpp>

#include "backend/cuda/training.hpp"

namespace stlm::test {
template std::vector<float> losses<TwoLayers, EigenBackend, float>(int);
template std::vector<float> losses<TwoLayers, EigenBackend, Bfloat16>(int);
template std::vector<float> losses<PooledLayers, EigenBackend, float>(int);
template std::vector<float> losses<PooledLayers, EigenBackend, Bfloat16>(int);
}  // namespace stlm::test
