// Runs STLM_PROGRAM as a user does.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>

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

/// Starts the program and kills it (SIGKILL) once its metrics file has `lines` lines.
inline void run_and_kill(std::vector<std::string> arguments, const std::string& metrics, std::ptrdiff_t lines) {
  std::string name = STLM_PROGRAM;
  std::vector<char*> argv{name.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stdout)) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  for (int i = 0; i < 6000; ++i) {
    const std::string text = read_text(metrics);
    if (std::count(text.begin(), text.end(), '\n') >= lines) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
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

/// The number under `key` in a JSON object on one line.
inline double number(const std::string& json, const std::string& key) {
  const std::size_t at = json.find("\"" + key + "\":");
  REQUIRE(at != std::string::npos);
  return std::stod(json.substr(at + key.size() + 3));
}

/// Checks the JSON object at the end of the output of `train`.
inline void check_summary(const std::string& output) {
  const std::string json = last_line(output);
  CHECK(json.front() == '{');
  CHECK(json.back() == '}');
  for (const char* key : {"params", "steps", "tokens", "seconds", "train_nats", "val_bytes", "threads"}) {
    CAPTURE(key);
    CHECK(number(json, key) > 0);
  }
  CHECK(number(json, "seed") >= 0);
  CHECK(number(json, "dropped") >= 0);
  CHECK(number(json, "tokens_per_second") == Approx(number(json, "tokens") / number(json, "seconds")).epsilon(0.01));
  CHECK(number(json, "val_nats") > 1);
  CHECK(number(json, "val_nats") < std::log(258.0) + 0.5);  // hardly worse than uniform guessing
  CHECK(number(json, "val_bits_per_byte") == Approx(number(json, "val_nats") / std::log(2.0)).epsilon(1e-6));
}

}  // namespace program
