// Prints the FMA peak for each line that it reads: the probe for the systems without one of their own.
#include "work.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    for (std::string line; std::getline(std::cin, line);) {
      std::printf("{\"peak\": %.6g}\n", bench::fma_peak(o.threads));
      std::fflush(stdout);
    }
  });
}
