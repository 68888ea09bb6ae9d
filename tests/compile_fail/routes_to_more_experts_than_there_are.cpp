// expect: stlm::ops::route: expected 1 to E experts for each row
#include <stlm/backend/reference.hpp>
#include <stlm/ops/routing.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index chosen = 4;
#else
constexpr stlm::Index chosen = 5;
#endif

void choose(stlm::Context<stlm::ReferenceBackend>& ctx, const stlm::ops::Routes<float, 4, chosen>& routes) {
  stlm::ops::route(ctx, routes);
}
