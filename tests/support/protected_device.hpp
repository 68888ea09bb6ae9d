// The memory of the emulated device closed to the host, as long as it lives: what a GPU would refuse ends the test.
#pragma once

#include <stlm/backend/cuda/emulated_space.hpp>

namespace stlm::test {

struct ProtectedDevice {
  ProtectedDevice() { EmulatedSpace::protect(); }
  ~ProtectedDevice() { EmulatedSpace::protect(false); }
};

}  // namespace stlm::test
