// The reports of a training run: progress on standard output, metrics as JSON lines in a file.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include <stlm/io/atomic_file.hpp>

namespace example {

/// printf into a string of at most 255 characters.
template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// Seconds since its construction, plus those of the runs that this one continues.
class Clock {
 public:
  explicit Clock(double before = 0) : before_(before) {}
  double seconds() const {
    return before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double before_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// On a terminal one line that is overwritten; elsewhere a new line every few seconds.
class Progress {
 public:
  void line(const std::string& text) {
    if (clock_.seconds() < next_) return;
    next_ = clock_.seconds() + (terminal_ ? 0.2 : 5);
    std::printf(terminal_ ? "\r\033[K%s" : "%s\n", text.c_str());
    std::fflush(stdout);
  }
  /// Prints text on lines of its own.
  void print(const std::string& text) const {
    std::printf("%s%s\n", terminal_ ? "\r\033[K" : "", text.c_str());
    std::fflush(stdout);
  }

 private:
  bool terminal_ = isatty(STDOUT_FILENO) != 0;
  Clock clock_;
  double next_ = 0;
};

/// Metrics, one JSON object a line. A resumed run keeps the lines up to the step it continues from.
class Metrics {
 public:
  Metrics(const std::string& path, std::uint64_t step) : path_(path) {
    std::string kept;
    std::ifstream old(path);
    for (std::string line; step > 0 && std::getline(old, line);) {
      const auto entry = nlohmann::json::parse(line, nullptr, false);
      if (entry.is_object() && entry.value("step", step + 1) <= step) kept += line + "\n";
    }
    old.close();
    if (step > 0) stlm::write_file(path, std::as_bytes(std::span(kept)));  // atomic: an interrupted write keeps the old file
    file_.open(path, step > 0 ? std::ios::app : std::ios::trunc);
    write("");  // throws if the file cannot be written
  }
  void add(const nlohmann::ordered_json& entry) { write(entry.dump() + "\n"); }

 private:
  void write(const std::string& text) {
    file_ << text << std::flush;
    stlm::expect<stlm::FileError>(file_.good(), "\"", path_, "\" does not take what is written; make room on the disk, or give "
                                  "another --out.");
  }

  std::string path_;
  std::ofstream file_;
};

}  // namespace example
