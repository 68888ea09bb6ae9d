// The tests of the ops included below, each in its own namespace, for CudaBackend: on a GPU against the reference in double.
#include <algorithm>
#include <array>
#include <complex>

#include <stlm/ops/activation.hpp>
#include <stlm/ops/cross_entropy.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/group_gate.hpp>
#include <stlm/ops/learned_activation.hpp>
#include <stlm/ops/norm.hpp>
#include <stlm/ops/optimizer.hpp>
#include <stlm/ops/rope.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/schedule.hpp>

#include "support/op_parity.hpp"

namespace activation_test {
#include "ops/activation.test.cpp"
}
namespace cross_entropy_test {
#include "ops/cross_entropy.test.cpp"
}
namespace elementwise_test {
#include "ops/elementwise.test.cpp"
}
namespace group_gate_test {
#include "ops/group_gate.test.cpp"
}
namespace learned_activation_test {
#include "ops/learned_activation.test.cpp"
}
namespace norm_test {
#include "ops/norm.test.cpp"
}
namespace optimizer_test {
#include "ops/optimizer.test.cpp"
}
namespace rope_test {
#include "ops/rope.test.cpp"
}
