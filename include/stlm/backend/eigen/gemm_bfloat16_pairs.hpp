// Pairs of Bfloat16 that follow each other along k, as units in the bits of a float: multiplied by vdpbf16ps, or, where a
// machine lacks it, taken apart in the dots of few rows, so that weights are read as they are stored.
#pragma once

#include <stlm/backend/eigen/eigen_core.hpp>

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512BF16__)
#include <stlm/backend/eigen/gemm_vdpbf16ps.hpp>
#else
#include <stlm/backend/eigen/gemm_bfloat16_apart.hpp>
#endif
