// The whole program of one model over bytes: train, generate, choose and info, on the CPU or, built with STLM_WITH_CUDA, on a
// GPU.
#pragma once

#include <stlm/backend/eigen.hpp>

#include "command_line.hpp"
#include "run.hpp"
#include "written.hpp"

namespace example {

/// `run_on` for CudaBackend. It is defined in on_cuda.cu, so that nvcc compiles it without Eigen.
template <class Model>
int run_on_cuda(const std::string& command, const Options& options, const Recipe& recipe);

template <class Model>
int info(stlm::BatchShape shape) {
  std::cout << stlm::describe<Model>() << "activations of a training step of " << shape.batch << " x " << shape.tokens << " "
            << Reading<Model, stlm::EigenBackend>::unit << ": " << stlm::activation_bytes<Model>(shape) << " bytes\n"
            << "compiled by " << __VERSION__ << ", vectors of "
            << Eigen::internal::packet_traits<float>::size * sizeof(float) * 8 << " bits\n";
  expect_written();
  return 0;
}

/// `description` follows "A byte-level transformer of 787840 parameters: " in the help text.
template <class Model>
int run_program(int argc, char** argv, const std::string& name, const std::string& description, const Recipe& recipe) {
  Options options;
  CLI::App app("A byte-level transformer of " + std::to_string(stlm::num_params<Model>) + " parameters: " + description);
  add_commands(app, options, reads_gpt2<Model>);
  CLI11_PARSE(app, argc, argv);
  const std::string command = app.get_subcommands().front()->get_name();
  try {
    if (command == "info") return info<Model>(recipe.shape);
    if (options.device == "cpu") return run_on<Model, stlm::EigenBackend>(command, options, recipe);
#if defined(STLM_EXAMPLE_ON_CUDA)
    return run_on_cuda<Model>(command, options, recipe);
#else
    fail_without_cuda();
#endif
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << "\n";
    return 1;
  }
}

}  // namespace example
