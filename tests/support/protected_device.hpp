// ProtectedDevice: while it lives, the host cannot access the emulated device's memory; an access ends the test, as on a GPU.
#pragma once

#include <stlm/backend/cuda/emulated_space.hpp>

namespace stlm::test {

struct ProtectedDevice {
  ProtectedDevice() { EmulatedSpace::protect(); }
  ~ProtectedDevice() { EmulatedSpace::protect(false); }
};

}  // namespace stlm::test
