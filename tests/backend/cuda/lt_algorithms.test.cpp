#include <stlm/backend/cuda/lt_algorithms.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace stlm;

using gpu::LtAlgorithm;
using gpu::LtAlgorithms;

TEST_CASE("LtAlgorithms: what is saved is loaded again, beside what was there", "[backend][cuda]") {
  const TemporaryFolder folder;
  const LtAlgorithm first{33'554'432, {1, 2, 3, 4, 5, 6, 7, ~std::uint64_t{0}}}, second{0, {9}};
  LtAlgorithms saved, loaded;
  saved.insert("cuBLASLt 130100, NVIDIA H100 80GB HBM3, float 1x2x3", first);
  saved.save(folder / "algorithms");
  loaded.insert("other", second);
  loaded.load(folder / "algorithms");
  CHECK(loaded.size() == 2);
  REQUIRE(loaded.find("cuBLASLt 130100, NVIDIA H100 80GB HBM3, float 1x2x3"));
  CHECK(*loaded.find("cuBLASLt 130100, NVIDIA H100 80GB HBM3, float 1x2x3") == first);
  CHECK(*loaded.find("other") == second);
  CHECK(!loaded.find("cuBLASLt 130100"));
}

TEST_CASE("LtAlgorithms: refuses what it did not write, and names the line", "[backend][cuda]") {
  const TemporaryFolder folder;
  const std::string path = folder / "algorithms", header = "stlm: algorithms of cuBLASLt, 1\n";
  const auto load = [&](const std::string& text) {
    std::ofstream(path) << text;
    LtAlgorithms().load(path);
  };
  CHECK_NOTHROW(load(header + "key\t0 1 2 3 4 5 6 7 8\n"));
  CHECK_THROWS_WITH(load("{}"), "stlm::gpu::LtAlgorithms: expected \"" + path +
                                    "\" to begin with \"stlm: algorithms of "
                                    "cuBLASLt, 1\", found \"{}\"; give the file that `save` wrote.");
  CHECK_THROWS_AS(load(""), FileError);
  for (const char* const line :
       {"key", "key\t0 1 2 3 4 5 6 7", "key\t0 1 2 3 4 5 6 7 8 9", "key\t0 1 2 3 4 5 6 7 x", ""}) {
    CAPTURE(line);
    CHECK_THROWS_WITH(load(header + line + "\n"),
                      "stlm::gpu::LtAlgorithms: expected a key, a tab and nine numbers in line 2 "
                      "of \"" +
                          path + "\", found \"" + line + "\"; remove the line.");
  }
  CHECK_THROWS_AS(LtAlgorithms().load(folder / "missing"), FileError);
}

TEST_CASE("LtAlgorithms: a file that cannot be written leaves nothing behind", "[backend][cuda]") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(LtAlgorithms().save(folder / "no/folder/algorithms"), FileError);
  CHECK(folder.names().empty());
  LtAlgorithms().save(folder / "algorithms");
  CHECK(folder.names() == std::vector<std::string>{"algorithms"});
}
