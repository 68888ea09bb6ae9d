// main of tests that compute on a GPU. Without one it prints why and ends with exit code 77: skipped.
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
