// The FMA peak for each line read: what stands beside the systems that have no probe of their own.
#include "work.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    for (std::string line; std::getline(std::cin, line);) {
      std::printf("{\"peak\": %.6g}\n", bench::fma_peak(o.threads));
      std::fflush(stdout);
    }
  });
}
