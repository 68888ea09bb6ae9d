// Checkpoints: all that a run needs to go on bit by bit, in one safetensors file, written atomically.
//
// Tensors: "model.*" and "optimizer.<moment>.*"; metadata: the numbers of TrainState and the strings the caller adds. A
// run continued from a checkpoint gives the same bits as one never stopped. A TrainStep stands for its optimiser.
#pragma once

#include <charconv>

#include <stlm/io/weights.hpp>

namespace stlm {

/// The numbers of a run beside its tensors.
struct TrainState {
  std::uint64_t step = 0;             ///< optimiser steps done
  std::uint64_t random_counter = 0;   ///< of the context's random stream
  std::uint64_t loader_position = 0;  ///< windows read
};

namespace detail {
inline std::uint64_t metadata_number(const SafetensorsFile& file, std::string_view key) {
  expect<FileError>(file.metadata().contains(key), "stlm::load_checkpoint: \"", file.name(), "\": expected metadata ", key,
                    ", found none: it is no checkpoint; weights alone are read by stlm::load.");
  const std::string& text = file.metadata(key);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  expect<FileError>(error == std::errc{} && end == text.data() + text.size(), "stlm::load_checkpoint: \"", file.name(),
                    "\": metadata ", key, ": expected a whole number, found ", json_quote(text),
                    "; the file is damaged, use an older checkpoint.");
  return number;
}
}  // namespace detail

template <class Model, class B, class T, class Optimizer>
void save_checkpoint(const std::string& path, const Parameters<Model, B, T>& params, Optimizer& optimizer,
                     const TrainState& state, Metadata metadata = {}) {
  SafetensorsWriter writer;
  metadata["step"] = std::to_string(state.step);
  metadata["random_counter"] = std::to_string(state.random_counter);
  metadata["loader_position"] = std::to_string(state.loader_position);
  metadata["optimizer_step"] = std::to_string(optimizer.step_count());
  writer.set_metadata(std::move(metadata));
  add_tensors(writer, params, "model.");
  optimizer.for_each_state([&](std::string_view name, const auto& moments) {
    add_tensors(writer, moments, "optimizer." + std::string(name) + ".");
  });
  writer.write(path);
}

/// Restores parameters and optimiser and returns the rest. Throws FileError, having changed nothing, when the file does
/// not fit.
template <class Model, class B, class T, class Optimizer>
TrainState load_checkpoint(const SafetensorsFile& file, Parameters<Model, B, T>& params, Optimizer& optimizer) {
  const TrainState state{detail::metadata_number(file, "step"), detail::metadata_number(file, "random_counter"),
                         detail::metadata_number(file, "loader_position")};
  constexpr std::uint64_t most = std::uint64_t{1} << 53;
  const std::uint64_t optimizer_step = detail::metadata_number(file, "optimizer_step");
  expect<FileError>(optimizer_step <= most, "stlm::load_checkpoint: \"", file.name(), "\": expected at most ", most,
                    " steps of the optimiser, found ", optimizer_step,
                    "; the file is damaged, use an older checkpoint.");
  const auto prefix = [](std::string_view name) { return "optimizer." + std::string(name) + "."; };
  check_fits(params, file, "model.");
  optimizer.for_each_state([&](std::string_view name, auto& moments) { check_fits(moments, file, prefix(name)); });
  load(params, file, "model.");
  optimizer.for_each_state([&](std::string_view name, auto& moments) { load(moments, file, prefix(name)); });
  optimizer.set_step_count(static_cast<std::int64_t>(optimizer_step));
  return state;
}
template <class Model, class B, class T, class Optimizer>
TrainState load_checkpoint(const std::string& path, Parameters<Model, B, T>& params, Optimizer& optimizer) {
  return load_checkpoint(SafetensorsFile(path), params, optimizer);
}

}  // namespace stlm
