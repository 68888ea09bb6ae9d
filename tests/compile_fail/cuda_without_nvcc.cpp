// expect: <stlm/backend/cuda.hpp> is for nvcc: include it in .cu files alone
#ifdef STLM_FIXED
#include <stlm/core/backend.hpp>
#else
#include <stlm/backend/cuda.hpp>
#endif

int main() {}
