#include <all_headers.hpp>

stlm::Index other_size();
stlm::Index other_size() { return stlm::View<float, 2, 3>().size(); }

// Without optimisation, as in a user's Debug build, our loops warn of nothing.
template void stlm::eigen::gemm_serial<float, float, float>(stlm::Index, stlm::Index, stlm::Index, GemmOperand<float>,
                                                            GemmOperand<float>, float*, stlm::Index, bool, float*);
