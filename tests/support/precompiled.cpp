#include "support/precompiled.hpp"  // which CMake precompiles for a target that has a source
