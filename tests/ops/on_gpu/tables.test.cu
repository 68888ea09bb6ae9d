// As rows.test.cu, for products and for ops that choose rows by ids.
#include <algorithm>

#include <stlm/ops/attention.hpp>
#include <stlm/ops/embedding.hpp>
#include <stlm/ops/fused_gemm.hpp>
#include <stlm/ops/gemm.hpp>
#include <stlm/ops/patches.hpp>
#include <stlm/ops/quantized.hpp>
#include <stlm/ops/routing.hpp>
#include <stlm/ops/segments.hpp>

#include "support/op_parity.hpp"

namespace embedding_test {
#include "ops/embedding.test.cpp"
}
namespace fused_gemm_test {
#include "ops/fused_gemm.test.cpp"
}
namespace gemm_test {
#include "ops/gemm.test.cpp"
}
namespace patches_test {
#include "ops/patches.test.cpp"
}
namespace quantized_test {
#include "ops/quantized.test.cpp"
}
namespace routing_test {
#include "ops/routing.test.cpp"
}
namespace segments_test {
#include "ops/segments.test.cpp"
}
