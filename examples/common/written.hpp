// expect_written: checks that standard output took all that was written.
#pragma once

#include <iostream>

#include <stlm/core/error.hpp>

namespace example {

/// Throws Error if standard output has not taken all that was written.
inline void expect_written() {
  std::cout.flush();
  stlm::expect<stlm::Error>(std::cout.good(), "standard output does not take what is written.");
}

}  // namespace example
