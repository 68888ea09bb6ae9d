#include "support/precompiled.hpp"  // CMake precompiles headers only for targets with a source
