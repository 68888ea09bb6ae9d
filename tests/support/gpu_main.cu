// main of tests that compute on a GPU: without one they end as skipped, exit code 77, and say why.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <stlm/backend/cuda/probe.hpp>

int main(int argc, char** argv) {
  if (const stlm::gpu::Probe found = stlm::gpu::probe(); !found) {
    std::printf("skipped: %s\n", found.str().c_str());
    return 77;
  }
  return Catch::Session().run(argc, argv);
}
