// expect: stlm::QuantizedWeights: weights in 8 bits are for backends of the CPU
#include <stlm/backend/reference.hpp>
#include <stlm/infer/quantized_weights.hpp>
#include <stlm/nn/linear.hpp>

#ifdef STLM_FIXED
using Backend = stlm::ReferenceBackend;
#else
using Backend = stlm::CudaBackend;
#endif

constexpr auto size = sizeof(stlm::QuantizedWeights<stlm::Linear<8, 12>, Backend>);
