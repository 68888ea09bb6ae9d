#include <stlm/models/presets/baselines.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/every_use.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(num_params<presets::Baseline50M> == 47'203'328);
static_assert(num_params<presets::Baseline56M> == 55'888'896);
static_assert(num_params<presets::FfnSharing> == 34'655'232);
static_assert(num_params<presets::Cascade50M> == 49'857'536);
static_assert(num_params<presets::Baseline10M> == 10'495'872);
static_assert(num_params<presets::Baseline38M> == 38'353'920);
static_assert(num_params<presets::Baseline40M> == 39'754'240);
static_assert(num_params<presets::SmallVocabulary10M> == 10'484'864);

// Parts of the sums.
static_assert(num_params<presets::Baseline50M::Core> == 21'471'232);
static_assert(num_params<presets::FfnSharing::Core> == 8'923'136);
static_assert(num_params<presets::Baseline10M::Core> == 6'651'648);
static_assert(num_params<presets::Baseline38M::Core> == 17'840'128);
static_assert(num_params<presets::Baseline40M::Core> == 34'633'728);
static_assert(num_params<presets::SmallVocabulary10M::Core> == 10'484'864 - 2 * 3900 * 128 - 128);
static_assert(num_params<presets::Baseline50M::Embedding> == 25'731'584);

TEST_CASE("Baseline10M: what layers share and what they own", "[models][presets]") {
  Context<ReferenceBackend> ctx;
  const auto names = stored_names(Parameters<presets::Baseline10M, ReferenceBackend>(ctx));
  CHECK(names.size() == 1 + 18 * 2 + 2 + 4 + 2);  // table; QKV; output; feed-forward; head
  CHECK(names.back() == "head.bias");
}
