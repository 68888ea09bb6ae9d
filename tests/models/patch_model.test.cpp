#include <stlm/models/patch_model.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"
#include "support/patch_models.hpp"

using namespace stlm;
using namespace stlm::test;

TEMPLATE_TEST_CASE("PatchModel: gradients", "[models][patch_model][gradient]", SpacePatches, TokenPatches, ParallelPatches,
                   QuirkyPatches, ReconstructingPatches) {
  check_gradients<WholePatches<TestType>>({2, 3});
  check_gradients<WholePatches<TestType>>({1, 6}, 0.2);
}

TEMPLATE_TEST_CASE("PatchModel: backends agree", "[models][patch_model][parity]", SpacePatches, TokenPatches, ParallelPatches,
                   QuirkyPatches, ReconstructingPatches) {
  check_backends<WholePatches<TestType>>();
  check_backends<WholePatches<TestType>>(0.2);
}
