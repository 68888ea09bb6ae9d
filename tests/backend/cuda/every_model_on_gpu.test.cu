// Models that together have a part of every kind, on a GPU: training, files and generation give the results of EigenBackend.
// every_model.test.cpp tests all kinds on the emulated GPU.
#include <stlm/backend/cuda.hpp>

#include "backend/cuda/every_model.hpp"
#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

namespace stlm::test {
extern template StepResult one_step<Grouped, EigenBackend>(const std::string&, const std::string&);
extern template StepResult one_step<Windowed, EigenBackend>(const std::string&, const std::string&);
extern template StepResult one_step<Mixture, EigenBackend>(const std::string&, const std::string&);
extern template StepResult one_step<Experts, EigenBackend>(const std::string&, const std::string&);
extern template StepResult one_step<SpacePatches, EigenBackend>(const std::string&, const std::string&);
extern template StepResult one_step<TokenPatches, EigenBackend>(const std::string&, const std::string&);
extern template StepResult one_step<ParallelPatches, EigenBackend>(const std::string&, const std::string&);
extern template StepResult one_step<StridePatches, EigenBackend>(const std::string&, const std::string&);
extern template StepResult one_step<Thought, EigenBackend>(const std::string&, const std::string&);
extern template std::vector<std::vector<float>> logits_along<Grouped, EigenBackend>();
extern template std::vector<std::vector<float>> logits_along<SpacePatches, EigenBackend>();
extern template std::vector<std::vector<float>> logits_along<Grouped, EigenBackend, Int8>();
extern template std::vector<std::vector<float>> logits_along<SpacePatches, EigenBackend, Int8>();
extern template std::vector<std::vector<float>> logits_along<Thought, EigenBackend>();
extern template std::vector<std::string> some_texts<EigenBackend>(bool);
}  // namespace stlm::test

using namespace stlm;
using namespace stlm::test;

TEMPLATE_TEST_CASE("every model on a GPU: a step, and files", "[cuda][models]", Grouped, Windowed, Mixture, Experts,
                   TokenPatches, ParallelPatches, StridePatches, Thought) {
  const TemporaryFolder folder;
  const std::string file = folder / "model.safetensors";
  const StepResult expected = one_step<TestType, EigenBackend>({}, {});
  const StepResult found = one_step<TestType, CudaBackend>(file, {});
  CHECK(found.loss == Approx(expected.loss).epsilon(5e-5));
  CHECK(deviation(expected.grads, found.grads) < 5e-5);
  CHECK(found.weights == expected.weights);
  CHECK(one_step<TestType, EigenBackend>({}, file).weights == expected.weights);
  CHECK(one_step<TestType, CudaBackend>({}, file).weights == expected.weights);
}

// every_model.test.cpp explains the tolerances.
TEMPLATE_TEST_CASE("every model on a GPU: in Bfloat16", "[cuda][models]", Grouped, Experts, SpacePatches, Thought) {
  const StepResult expected = one_step<TestType, EigenBackend>({}, {});
  const StepResult found = one_step<TestType, CudaBackend, Bfloat16>({}, {});
  CHECK(found.loss == Approx(expected.loss).epsilon(5e-3));
  CHECK(deviation(expected.grads, found.grads) < 0.1);
  CHECK(deviation(expected.grads, found.grads) > 1e-4);
}

TEMPLATE_TEST_CASE("every model on a GPU: what follows a text", "[cuda][models]", Grouped, SpacePatches, Thought) {
  const auto expected = logits_along<TestType, EigenBackend>(), found = logits_along<TestType, CudaBackend>();
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(deviation(expected[i], found[i]) < 5e-5);
}

TEST_CASE("every model on a GPU: what follows a text, in Bfloat16", "[cuda][models]") {
  const auto expected = logits_along<SpacePatches, EigenBackend>();
  const auto found = logits_along<SpacePatches, CudaBackend, Bfloat16>();
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(deviation(expected[i], found[i]) < 0.02);
}

// quantized_weights.test.cpp has the tolerances.
TEMPLATE_TEST_CASE("every model on a GPU: what follows a text, from weights of 8 bits", "[cuda][models]", Grouped,
                   SpacePatches) {
  const auto expected = logits_along<TestType, EigenBackend, Int8>(), found = logits_along<TestType, CudaBackend, Int8>();
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(deviation(expected[i], found[i]) < 0.02);
}

TEST_CASE("every model on a GPU: several texts at once", "[cuda][models]") {
  CHECK(some_texts<CudaBackend>() == some_texts<EigenBackend>());
  CHECK(some_texts<CudaBackend>(false) == some_texts<EigenBackend>());  // one after another from one recording
}
