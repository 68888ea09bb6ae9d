// Every kind of model on the kernels of CudaBackend, in memory the host may not touch: training, files, generation.
// The results must be those of EigenBackend.

#include <stlm/backend/cuda_emulated.hpp>
#include <stlm/backend/eigen.hpp>

#include "backend/cuda/every_model.hpp"
#include "io/temporary_folder.hpp"
#include "support/catch.hpp"
#include "support/protected_device.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

template <class Model>
void check_training() {
  const ProtectedDevice device;
  const TemporaryFolder folder;
  const std::string file = folder / "model.safetensors";
  const StepResult expected = one_step<Model, EigenBackend>({}, {});
  const StepResult found = one_step<Model, EmulatedCudaBackend>(file, {});
  CHECK(found.loss == Approx(expected.loss).epsilon(2e-5));
  CHECK(deviation(expected.grads, found.grads) < 2e-5);
  CHECK(found.weights == expected.weights);
  CHECK(one_step<Model, EigenBackend>({}, file).weights == expected.weights);
  CHECK(one_step<Model, EmulatedCudaBackend>({}, file).weights == expected.weights);
}

/// Tolerances. Rounding to 8 bits changes a number by at most 2^-9 of itself. For gradients, relative to the largest, some
/// dozens of such errors that do not cancel are allowed; a loss is a mean and errs less. For each model the tolerance is two
/// or three times the error found, except for losses whose errors happen to cancel.
struct Near {
  double loss, grads;
};
template <class Model>
inline constexpr Near near_in_bfloat16{4e-4, 0.045};
template <>
inline constexpr Near near_in_bfloat16<Learned>{1e-4, 0.02};
template <>
inline constexpr Near near_in_bfloat16<Mixture>{1e-4, 0.04};
template <>
inline constexpr Near near_in_bfloat16<StridePatches>{1e-4, 0.025};
template <>
inline constexpr Near near_in_bfloat16<SpacePatches>{1e-4, 0.1};
template <>
inline constexpr Near near_in_bfloat16<ReconstructingPatches>{8e-4, 0.1};
template <>
inline constexpr Near near_in_bfloat16<Thought>{1.5e-4, 0.1};

template <class Model>
void check_in_bfloat16() {
  const ProtectedDevice device;
  const StepResult expected = one_step<Model, EigenBackend>({}, {});
  const StepResult found = one_step<Model, EmulatedCudaBackend, Bfloat16>({}, {});
  CHECK(found.loss == Approx(expected.loss).epsilon(near_in_bfloat16<Model>.loss));
  CHECK(deviation(expected.grads, found.grads) < near_in_bfloat16<Model>.grads);
  CHECK(deviation(expected.grads, found.grads) > 2e-3);  // shows that numbers were rounded
}

}  // namespace

TEMPLATE_TEST_CASE("every model, emulated: flat ones", "[cuda][models]", Plain, Grouped, Learned, Sinusoidal, Windowed,
                   Interior, Repeated, Lean, Mixture, Experts) {
  check_training<TestType>();
}
TEMPLATE_TEST_CASE("every model, emulated: patches", "[cuda][models]", SpacePatches, TokenPatches, ParallelPatches,
                   QuirkyPatches, ReconstructingPatches, StridePatches) {
  check_training<TestType>();
}
TEMPLATE_TEST_CASE("every model, emulated: next thoughts", "[cuda][models]", Thought, QuirkyThought) {
  check_training<TestType>();
}

TEMPLATE_TEST_CASE("every model, emulated: activations of Bfloat16", "[cuda][models]", Grouped, Learned, Mixture,
                   Experts, SpacePatches, ReconstructingPatches, StridePatches, Thought) {
  check_in_bfloat16<TestType>();
}

TEMPLATE_TEST_CASE("every model, emulated: what follows a text", "[cuda][models]", Plain, Grouped, Learned, Windowed,
                   Experts, SpacePatches, StridePatches, Thought) {
  const ProtectedDevice device;
  const auto expected = logits_along<TestType, EigenBackend>(), found = logits_along<TestType, EmulatedCudaBackend>();
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(deviation(expected[i], found[i]) < 2e-5);
}
TEMPLATE_TEST_CASE("every model, emulated: what follows a text, in Bfloat16", "[cuda][models]", Grouped, SpacePatches,
                   Thought) {
  const ProtectedDevice device;
  const auto expected = logits_along<TestType, EigenBackend>();
  const auto found = logits_along<TestType, EmulatedCudaBackend, Bfloat16>();
  REQUIRE(expected.size() == found.size());
  const double near = std::is_same_v<TestType, Thought> ? 0.01 : 0.02;
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(deviation(expected[i], found[i]) < near);
}

TEMPLATE_TEST_CASE("every model, emulated: what follows a text, from weights of 8 bits", "[cuda][models]", Plain, Grouped,
                   Learned, Windowed, Mixture, Experts, SpacePatches, StridePatches, Thought) {
  const ProtectedDevice device;
  const auto expected = logits_along<TestType, EigenBackend, Int8>();
  const auto found = logits_along<TestType, EmulatedCudaBackend, Int8>();
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(deviation(expected[i], found[i]) < 0.02);  // activations may fall on the other side of a half
}

TEST_CASE("every model, emulated: several texts at once", "[cuda][models]") {
  const ProtectedDevice device;
  const auto expected = some_texts<EigenBackend>();
  CHECK(expected[0].size() == 12);
  CHECK(expected[1].size() == 6);  // this text ends while the others go on
  CHECK(some_texts<EmulatedCudaBackend>() == expected);
}
TEST_CASE("every model, emulated: several texts at once, in Bfloat16 as each alone", "[cuda][models]") {
  const ProtectedDevice device;
  CHECK(some_texts<EmulatedCudaBackend, Bfloat16>() == some_texts<EmulatedCudaBackend, Bfloat16>(false));
}
