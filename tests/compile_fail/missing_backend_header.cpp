// expect: stlm::Context: this backend is not known here. Include its header first: <stlm/backend/eigen.hpp>
#include <stlm/core/backend.hpp>

#ifdef STLM_FIXED
#include <stlm/backend/eigen.hpp>
#endif

int main() { stlm::Context<stlm::EigenBackend> ctx({.threads = 2}); }
