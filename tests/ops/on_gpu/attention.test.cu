// As rows.test.cu, for attention and the pool that chooses tokens by attention.
#include <array>

#include <stlm/ops/attention.hpp>
#include <stlm/ops/attention_pool.hpp>

#include "support/op_parity.hpp"

namespace attention_test {
#include "ops/attention.test.cpp"
}
namespace attention_pool_test {
#include "ops/attention_pool.test.cpp"
}
