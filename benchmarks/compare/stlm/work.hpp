// What the programs of this folder share: options, and the protocol between ../run and every system.
//
//   compare_train_step --model b --threads 2 --seconds 1
//
// A program prints the FLOPs of a token and the losses of its first steps, which have to agree with those of the other
// systems. Then, for each line it reads, it works for at least --seconds and prints the tokens/s and the FMA peak, the mean of
// a probe before and one after the work. It prints only JSON, an object a line.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <string>
#include <type_traits>
#include <vector>

#include <stlm/backend/eigen.hpp>
#include <stlm/core/quantized.hpp>
#include <stlm/models/program.hpp>

#include "../../support/models.hpp"
#include "../../support/peak.hpp"

namespace compare {

using Backend = stlm::EigenBackend;
using stlm::Index;
using stlm::Token;

struct Options {
  std::string model = "b", scalar = "f32", save;
  int threads = 1;
  Index batch = 1;
  double seconds = 1;

  Options(int argc, char** argv) {
    for (int i = 1; i < argc; i += 2) {
      const std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
      if (name == "--model")
        model = value;
      else if (name == "--scalar")
        scalar = value;
      else if (name == "--save")
        save = value;
      else if (name == "--threads")
        threads = std::stoi(value);
      else if (name == "--batch")
        batch = std::stoi(value);
      else if (name == "--seconds")
        seconds = std::stod(value);
      else
        stlm::fail<stlm::Error>("expected --model, --scalar, --save, --threads, --batch or --seconds, found ", name, ".");
    }
  }
};

/// The first `count` tokens of the sequence from which every program takes its tokens.
inline std::vector<Token> random_tokens(Index count, Index vocabulary) {
  std::vector<Token> tokens(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<Token>(stlm::random_below({1, 2}, i, static_cast<std::uint64_t>(vocabulary)));
  return tokens;
}

/// Talks to ../run; `tokens` are the tokens of a step, `flops` the FLOPs of a token.
template <class Step>
void converse(const Options& o, double tokens, double flops, const std::vector<double>& losses, const Step& step) {
  std::printf("{\"flops_per_token\": %.0f, \"loss\": [", flops);
  for (std::size_t i = 0; i < losses.size(); ++i) std::printf("%s%.9g", i > 0 ? ", " : "", losses[i]);
  std::puts("]}");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const double before = bench::fma_peak(o.threads);
    const auto start = std::chrono::steady_clock::now();
    double steps = 0, passed = 0;
    do {
      step();
      ++steps;
      passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    } while (passed < o.seconds);
    const double peak = (before + bench::fma_peak(o.threads)) / 2;
    std::printf("{\"tokens_per_second\": %.6g, \"peak\": %.6g}\n", tokens * steps / passed, peak);
    std::fflush(stdout);
  }
}

/// main of a program: calls work(options) and prints an error that it throws.
template <class DoWork>
int run(int argc, char** argv, const DoWork& work) {
  try {
    work(Options(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

/// Calls f(Config{}) for the model that --model names.
template <class F>
void with_model(const Options& o, const F& f) {
  if (o.model == "a")
    f(bench::A{});
  else if (o.model == "b")
    f(bench::B{});
  else if (o.model == "c")
    f(bench::C{});
  else
    stlm::fail<stlm::Error>("expected the model a, b or c, found ", o.model, ".");
}

template <class S>
std::string name() {
  return std::is_same_v<S, stlm::Int8> ? "int8" : std::is_same_v<S, stlm::Bfloat16> ? "bf16" : "f32";
}

/// Calls f(S{}) for the scalar that --scalar names, one of Scalars.
template <class... Scalars, class F>
void with_scalar(const Options& o, const F& f) {
  const bool found = ((o.scalar == name<Scalars>() && (f(Scalars{}), true)) || ...);
  stlm::expect<stlm::Error>(found, "expected a scalar of", ((" " + name<Scalars>()) + ...), ", found ", o.scalar, ".");
}

}  // namespace compare
