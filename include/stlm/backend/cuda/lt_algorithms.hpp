// LtAlgorithms: the algorithms that tuning chose for products, kept in a text file so that later runs choose the same.
//
// A line is a key, a tab, and numbers: the bytes of workspace, then cuBLASLt's eight words. The words are valid only for one
// version of cuBLASLt on one device; the key names both, so one file serves several machines.
#pragma once

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <locale>
#include <map>
#include <string>

#include <stlm/core/error.hpp>

namespace stlm::gpu {

struct LtAlgorithm {
  std::uint64_t workspace_bytes = 0;
  std::array<std::uint64_t, 8> words = {};  ///< a cublasLtMatmulAlgo_t
  friend bool operator==(const LtAlgorithm&, const LtAlgorithm&) = default;
};

class LtAlgorithms {
 public:
  const LtAlgorithm* find(const std::string& key) const {
    const auto found = known_.find(key);
    return found == known_.end() ? nullptr : &found->second;
  }
  void insert(const std::string& key, const LtAlgorithm& algorithm) { known_[key] = algorithm; }
  std::size_t size() const { return known_.size(); }

  /// Adds the algorithms of a file. Throws FileError if it cannot be read or a line is not as `save` writes it.
  void load(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    expect<FileError>(file.is_open(), who, ": cannot read \"", path, "\"; give the file that `save` wrote.");
    expect<FileError>(std::getline(file, line) && line == header, who, ": expected \"", path, "\" to begin with \"",
                      header, "\", found \"", line, "\"; give the file that `save` wrote.");
    for (int number = 2; std::getline(file, line); ++number) {
      const std::size_t tab = line.find('\t');
      std::istringstream numbers(tab == std::string::npos ? "" : line.substr(tab));
      numbers.imbue(std::locale::classic());
      LtAlgorithm algorithm;
      numbers >> algorithm.workspace_bytes >> std::hex;
      for (std::uint64_t& word : algorithm.words) numbers >> word;
      expect<FileError>(!numbers.fail() && (numbers >> std::ws).eof(), who,
                        ": expected a key, a tab and nine numbers in "
                        "line ",
                        number, " of \"", path, "\", found \"", line, "\"; remove the line.");
      insert(line.substr(0, tab), algorithm);
    }
  }

  /// Writes all algorithms. The file appears whole or not at all. Throws FileError if it cannot be written.
  void save(const std::string& path) const {
    static std::atomic<int> number{0};
    const std::string temporary = path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(number++);
    std::ofstream file(temporary);
    file.imbue(std::locale::classic());
    file << header << "\n";
    for (const auto& [key, algorithm] : known_) {
      file << key << "\t" << std::dec << algorithm.workspace_bytes << std::hex;
      for (const std::uint64_t word : algorithm.words) file << " " << word;
      file << "\n";
    }
    file.close();
    if (file && std::rename(temporary.c_str(), path.c_str()) == 0) return;
    std::remove(temporary.c_str());
    fail<FileError>(who, ": cannot write \"", path, "\"; make the folder, or room on the disk.");
  }

 private:
  static constexpr const char* who = "stlm::gpu::LtAlgorithms";
  static constexpr const char* header = "stlm: algorithms of cuBLASLt, 1";
  std::map<std::string, LtAlgorithm> known_;
};

}  // namespace stlm::gpu
