#include <stlm/backend/cuda_emulated.hpp>
#include <stlm/backend/eigen.hpp>

#include "backend/cuda/training.hpp"
#include "support/catch.hpp"
#include "support/protected_device.hpp"

using namespace stlm;
using namespace stlm::test;

TEMPLATE_TEST_CASE("CudaBackend, emulated: twenty steps have the losses of EigenBackend", "[cuda][training]", TwoLayers,
                   PooledLayers) {
  const ProtectedDevice device;
  const auto expected = losses<TestType, EigenBackend, float>();
  const auto found = losses<TestType, EmulatedCudaBackend, float>();
  CAPTURE(expected, found);
  CHECK(expected.back() < 0.9F * expected.front());  // the model learns
  CHECK(apart(expected, found) < 1e-4);
}

// Rounding to Bfloat16 moves an activation, a weight or a gradient by up to 2^-9 of itself, up or down, and sums of
// many by less. In twenty steps the losses drift from those in float by about 2^-9, and so from EigenBackend's, whose
// activations stay float: twice that is allowed.
TEMPLATE_TEST_CASE("CudaBackend, emulated: in Bfloat16 the losses are near", "[cuda][training]", TwoLayers,
                   PooledLayers) {
  const ProtectedDevice device;
  const auto exact = losses<TestType, EigenBackend, float>();
  const auto expected = losses<TestType, EigenBackend, Bfloat16>();
  const auto found = losses<TestType, EmulatedCudaBackend, Bfloat16>();
  CAPTURE(exact, expected, found);
  CHECK(apart(exact, found) < 1.0 / 256);
  CHECK(apart(expected, found) < 1.0 / 256);
  CHECK(apart(exact, found) > 1e-4);  // shows that numbers were rounded
}

TEST_CASE("CudaBackend, emulated: the same bits however blocks are spread", "[cuda][training]") {
  CHECK(losses<TwoLayers, EmulatedCudaBackend, Bfloat16>(1) == losses<TwoLayers, EmulatedCudaBackend, Bfloat16>(2));
}
