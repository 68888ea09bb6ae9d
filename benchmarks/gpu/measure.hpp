// What the GPU programs share: options, times by events, tokens, and lines of JSON.
//
//   train_step_10m --batch 64 --mode graph
//
// A program prints JSON only, an object a line; without a GPU it says so in one sentence and exits with 77.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <stlm/backend/cuda.hpp>

namespace gpu_bench {

using stlm::CudaBackend;
using stlm::Index;
using stlm::Token;

/// --name value, --name value, ...
class Options {
 public:
  Options(int argc, char** argv, std::map<std::string, std::string> defaults) : values_(std::move(defaults)) {
    for (int i = 1; i < argc; i += 2) {
      const std::string name = argv[i];
      const bool known = name.starts_with("--") && values_.contains(name.substr(2));
      std::string all;
      for (const auto& [key, value] : values_) all += " --" + key;
      stlm::expect<stlm::Error>(known && i + 1 < argc, "expected" + all + ", each with a value, found ", name, ".");
      values_[name.substr(2)] = argv[i + 1];
    }
  }
  const std::string& text(const std::string& name) const { return values_.at(name); }
  Index number(const std::string& name) const { return std::stoll(values_.at(name)); }
  bool on(const std::string& name) const { return number(name) != 0; }

 private:
  std::map<std::string, std::string> values_;
};

/// A JSON object, which the destructor prints as a line.
class Line {
 public:
  explicit Line(const std::string& program) { add("program", program); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    std::printf("{%s}\n", text_.c_str());
    std::fflush(stdout);
  }
  Line& add(const std::string& name, const std::string& value) { return put(name, '"' + value + '"'); }
  Line& add(const std::string& name, double value) { return put(name, number(value)); }
  Line& add(const std::string& name, const std::vector<double>& values) {
    std::string list;
    for (const double value : values) list += (list.empty() ? "" : ", ") + number(value);
    return put(name, "[" + list + "]");
  }

 private:
  static std::string number(double value) {
    if (!std::isfinite(value)) return "NaN";
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
  }
  Line& put(const std::string& name, const std::string& value) {
    text_ += (text_.empty() ? "\"" : ", \"") + name + "\": " + value;
    return *this;
  }
  std::string text_;
};

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
  return values[values.size() / 2];
}

/// The time on the device of each of `runs` calls of work(), in milliseconds.
template <class Work>
std::vector<double> times(const stlm::gpu::Stream& stream, Index runs, const Work& work) {
  using stlm::gpu::Event;
  std::vector<Event> events;
  for (Index i = 0; i <= runs; ++i) events.emplace_back(Event::Timing::kOn);
  stream.record(events[0]);
  for (Index i = 0; i < runs; ++i) {
    work();
    stream.record(events[static_cast<std::size_t>(i) + 1]);
  }
  stream.synchronize();
  std::vector<double> found;
  for (std::size_t i = 1; i < events.size(); ++i) found.push_back(double{events[i].milliseconds_since(events[i - 1])});
  return found;
}

/// Bytes in use on the device, by all processes together.
inline Index bytes_in_use() {
  std::size_t free = 0, total = 0;
  stlm::gpu::check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return static_cast<Index>(total - free);
}

/// The first `count` tokens of the sequence from which every program takes its tokens.
inline std::vector<Token> random_tokens(Index count, Index vocabulary) {
  std::vector<Token> tokens(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<Token>(stlm::random_below({1, 2}, i, static_cast<std::uint64_t>(vocabulary)));
  return tokens;
}

/// main of a program: calls work(options), or says why no GPU can be used and returns 77.
template <class DoWork>
int run(int argc, char** argv, std::map<std::string, std::string> defaults, const DoWork& work) {
  try {
    const Options options(argc, argv, std::move(defaults));
    if (const stlm::gpu::Probe found = stlm::gpu::probe(); !found) {
      std::printf("skipped: %s\n", found.str().c_str());
      return 77;
    }
    work(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace gpu_bench
