// Pairs of Bfloat16 that follow each other along k, as units in the bits of a float: multiplied by vdpbf16ps, or, where a
// machine lacks it, taken apart in the dots of few rows, so that weights are read as they are stored. One of the two is empty.
#pragma once

#include <stlm/backend/eigen/gemm_bfloat16_apart.hpp>
#include <stlm/backend/eigen/gemm_vdpbf16ps.hpp>
