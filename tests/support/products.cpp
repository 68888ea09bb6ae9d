#include "support/precompiled.hpp"

namespace stlm::eigen {
STLM_TEST_PRODUCTS(template, float)
STLM_TEST_PRODUCTS(template, double)
}  // namespace stlm::eigen
