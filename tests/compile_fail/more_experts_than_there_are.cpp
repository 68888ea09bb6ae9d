// expect: stlm::MixtureOfExperts: expected 1 <= Chosen <= Experts
#include <stlm/nn/feed_forward.hpp>
#include <stlm/nn/mixture_of_experts.hpp>
#include <stlm/nn/swiglu.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index chosen = 2;
#else
constexpr stlm::Index chosen = 5;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::MixtureOfExperts<stlm::SwiGlu<8, 12>, 4, chosen>>;
