#include "support/backend_parity.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

TEMPLATE_TEST_CASE("LanguageModel: backends agree", "[models][language_model][parity]", Plain, Grouped, Learned,
                   Mixed, Experts) {
  check_backends<Whole<TestType>>();
  check_backends<Whole<TestType>>(0.2);
}
