// Keeps the results of ops on the emulated GPU in files, with which a GPU is compared on the same inputs.
//
//   STLM_TEST_RECORD=folder test_ops_norm_emulated       # writes, a file for each test case
//   STLM_TEST_RECORD=folder test_ops_on_gpu_rows         # reads, and compares
//
// Both run the same kernels with the same order of sums, so they agree better than with the reference. They differ where only
// one side contracts sums of products, and in exponentials, which are approximate.
#pragma once

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "support/tested_backend.hpp"

namespace stlm::test {

inline constexpr double record_tolerance = 2e-5;

#if defined(STLM_TEST_EMULATED) || defined(STLM_TEST_CUDA)
class OpRecord {
 public:
  /// The file of the running test case. Null without STLM_TEST_RECORD, or if nothing was written for this case.
  static std::FILE* file() {
    static const char* const folder = std::getenv("STLM_TEST_RECORD");
    if (!folder) return nullptr;
    static const bool fits = writes || has_files(folder);
    if (!fits) FAIL("STLM_TEST_RECORD: there are no files to compare with in " << folder);
    static std::map<std::string, std::unique_ptr<std::FILE, int (*)(std::FILE*)>> files;
    std::string name = Catch::getResultCapture().getCurrentTestName();
    const auto [found, is_new] = files.try_emplace(name, nullptr, std::fclose);
    if (is_new) {
      for (char& c : name)
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) c = '_';
      found->second.reset(std::fopen((folder + ("/" + name)).c_str(), writes ? "wb" : "rb"));
      if (writes && !found->second) FAIL("STLM_TEST_RECORD: cannot write into " << folder);
    }
    return found->second.get();
  }

  /// Writes the tensors, or compares them with the written ones.
  template <class Tensors>
  static void meet(const Tensors& tensors, double most) {
    std::FILE* const f = file();
    if (!f) return;
    for (const auto& tensor : tensors) {
      Index size = tensor.size();
      if constexpr (writes) {
        std::fwrite(&size, sizeof size, 1, f);
        std::fwrite(tensor.data(), sizeof(float), static_cast<std::size_t>(size), f);
      } else {
        REQUIRE(std::fread(&size, sizeof size, 1, f) == 1);
        REQUIRE(size == tensor.size());
        std::vector<float> expected(static_cast<std::size_t>(size));
        REQUIRE(std::fread(expected.data(), sizeof(float), expected.size(), f) == expected.size());
        CHECK(deviation(expected, tensor.view()) < most);
      }
    }
  }

 private:
  static bool has_files(const char* folder) {
    std::error_code none;
    return std::filesystem::directory_iterator(folder, none) != std::filesystem::directory_iterator();
  }
#if defined(STLM_TEST_EMULATED)
  static constexpr bool writes = true;
#else
  static constexpr bool writes = false;
#endif
};
#else
struct OpRecord {
  static void meet(const auto&, double) {}
};
#endif

}  // namespace stlm::test
