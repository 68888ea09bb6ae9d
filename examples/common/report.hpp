// What a training run tells: progress on standard output, metrics as JSON lines in a file.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

namespace example {

/// Seconds since it was made, plus those of earlier runs.
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

/// One line that is written over on a terminal, and a plain line every few seconds elsewhere.
class Progress {
 public:
  void line(const std::string& text, bool last = false) {
    const double now = clock_.seconds();
    const double gap = terminal_ ? 0.2 : 5;
    if (!last && now < shown_ + gap) return;
    shown_ = now;
    if (terminal_)
      std::printf("\r\033[K%s%s", text.c_str(), last ? "\n" : "");
    else
      std::printf("%s\n", text.c_str());
    std::fflush(stdout);
  }
  /// Text on lines of its own.
  void print(const std::string& text) const {
    std::printf("%s%s\n", terminal_ ? "\r\033[K" : "", text.c_str());
    std::fflush(stdout);
  }

 private:
  bool terminal_ = isatty(STDOUT_FILENO) != 0;
  Clock clock_;
  double shown_ = -1e9;
};

/// Metrics, one JSON object a line. A resumed run keeps the lines up to the step it continues from.
class Metrics {
 public:
  Metrics(const std::string& path, std::uint64_t continue_from) {
    std::string kept;
    std::ifstream old(path);
    for (std::string line; continue_from > 0 && std::getline(old, line);) {
      const auto entry = nlohmann::json::parse(line, nullptr, false);
      if (entry.is_object() && entry.value("step", std::uint64_t{0}) <= continue_from) kept += line + "\n";
    }
    old.close();
    file_.open(path, std::ios::trunc);
    file_ << kept << std::flush;
  }
  void add(const nlohmann::ordered_json& entry) { file_ << entry.dump() << "\n" << std::flush; }

 private:
  std::ofstream file_;
};

}  // namespace example
