// Bfloat16Pairs: units of two Bfloat16, consecutive along k, in the bits of a float. They are multiplied by vdpbf16ps, or,
// where a machine lacks it, split in the dot products of few rows, so that weights are read as they are stored. One of the two
// headers is empty.
#pragma once

#include <stlm/backend/eigen/gemm_bfloat16_apart.hpp>
#include <stlm/backend/eigen/gemm_vdpbf16ps.hpp>
