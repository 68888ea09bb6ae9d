// Runs STLM_PROGRAM as a user does.
#pragma once

#include <sys/wait.h>

#include <cmath>
#include <cstdio>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

namespace program {

struct Result {
  int status;
  std::string output;  // standard output and error
};

inline Result run(const std::string& arguments) {
  std::FILE* const pipe = ::popen((STLM_PROGRAM " " + arguments + " 2>&1").c_str(), "r");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output.push_back(static_cast<char>(c));
  return {WEXITSTATUS(::pclose(pipe)), output};
}

inline std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n'), begin = text.rfind('\n', end);
  return text.substr(begin + 1, end - begin);
}

inline void write_corpus(const std::string& path) {
  std::string text;
  for (int i = 0; i < 700; ++i) text += "line " + std::to_string(i * i) + " of a small text\n";
  write_text(path, text);
}

/// A number of a JSON object on one line.
inline double number(const std::string& json, const std::string& key) {
  const std::size_t at = json.find("\"" + key + "\":");
  REQUIRE(at != std::string::npos);
  return std::stod(json.substr(at + key.size() + 3));
}

/// The JSON object at the end of `train`.
inline void check_summary(const std::string& output) {
  const std::string json = last_line(output);
  CHECK(json.front() == '{');
  CHECK(json.back() == '}');
  for (const char* key : {"params", "steps", "tokens", "seconds", "train_nats", "val_bytes", "threads"}) {
    CAPTURE(key);
    CHECK(number(json, key) > 0);
  }
  CHECK(number(json, "seed") >= 0);
  CHECK(number(json, "tokens_per_second") == Approx(number(json, "tokens") / number(json, "seconds")).epsilon(0.01));
  CHECK(number(json, "val_nats") > 1);
  CHECK(number(json, "val_nats") < std::log(258.0) + 0.5);  // hardly worse than knowing nothing
  CHECK(number(json, "val_bits_per_byte") == Approx(number(json, "val_nats") / std::log(2.0)).epsilon(1e-6));
}

}  // namespace program
