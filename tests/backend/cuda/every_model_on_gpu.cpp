// The results of EigenBackend for every_model_on_gpu.test.cu, which is compiled without Eigen.
#include <stlm/backend/eigen.hpp>

#include "backend/cuda/every_model.hpp"

namespace stlm::test {
template StepResult one_step<Grouped, EigenBackend>(const std::string&, const std::string&);
template StepResult one_step<Windowed, EigenBackend>(const std::string&, const std::string&);
template StepResult one_step<Mixture, EigenBackend>(const std::string&, const std::string&);
template StepResult one_step<Experts, EigenBackend>(const std::string&, const std::string&);
template StepResult one_step<SpacePatches, EigenBackend>(const std::string&, const std::string&);
template StepResult one_step<TokenPatches, EigenBackend>(const std::string&, const std::string&);
template StepResult one_step<ParallelPatches, EigenBackend>(const std::string&, const std::string&);
template StepResult one_step<StridePatches, EigenBackend>(const std::string&, const std::string&);
template StepResult one_step<Thought, EigenBackend>(const std::string&, const std::string&);
template std::vector<std::vector<float>> logits_along<Grouped, EigenBackend>();
template std::vector<std::vector<float>> logits_along<SpacePatches, EigenBackend>();
template std::vector<std::vector<float>> logits_along<Grouped, EigenBackend, Int8>();
template std::vector<std::vector<float>> logits_along<SpacePatches, EigenBackend, Int8>();
template std::vector<std::vector<float>> logits_along<Thought, EigenBackend>();
template std::vector<std::string> some_texts<EigenBackend>(bool);
}  // namespace stlm::test
