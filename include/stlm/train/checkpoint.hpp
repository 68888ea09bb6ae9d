// Checkpoints: all that a run needs to continue with identical bits, in one safetensors file, written atomically.
//
// Tensors: "model.*" and "optimizer.<moment>.*". Metadata: the optimiser's step count, the numbers of TrainState and the
// strings the caller adds. A run continued from a checkpoint gives the same bits as one never stopped. A TrainStep can be
// passed as the optimiser.
//
//   save_checkpoint(path, params, optimizer, {step, ctx.random().seed(), ctx.random().counter(), loader.position()});
//
//   const TrainState state = load_checkpoint(path, params, optimizer);
//   ctx.random().restore(state.random_seed, state.random_counter);
//   loader.seek(state.loader_position);
#pragma once

#include <charconv>

#include <stlm/io/weights.hpp>

namespace stlm {

/// The state of a run other than its tensors.
struct TrainState {
  std::uint64_t step = 0;             ///< optimiser steps done
  std::uint64_t random_seed = 0;      ///< of the context's random stream
  std::uint64_t random_counter = 0;   ///< position in it
  std::uint64_t loader_position = 0;  ///< windows or pairs read
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
inline std::uint64_t metadata_steps(const SafetensorsFile& file, std::string_view key) {
  constexpr std::uint64_t most = std::uint64_t{1} << 53;
  const std::uint64_t steps = metadata_number(file, key);
  expect<FileError>(steps <= most, "stlm::load_checkpoint: \"", file.name(), "\": metadata ", key, ": expected at most ", most,
                    " steps, found ", steps, "; the file is damaged, use an older checkpoint.");
  return steps;
}
}  // namespace detail

/// Throws FileError if `metadata` has a name that the checkpoint itself uses.
template <class Model, class B, class T, class Optimizer>
void save_checkpoint(const std::string& path, const Parameters<Model, B, T>& params, Optimizer& optimizer,
                     const TrainState& state, Metadata metadata = {}) {
  SafetensorsWriter writer;
  const auto add = [&](const char* key, auto number) {
    expect<FileError>(metadata.emplace(key, std::to_string(number)).second, "stlm::save_checkpoint: \"", path,
                      "\": expected no metadata ", key, ", which the checkpoint writes itself; give yours another name.");
  };
  add("step", state.step);
  add("random_seed", state.random_seed);
  add("random_counter", state.random_counter);
  add("loader_position", state.loader_position);
  add("optimizer_step", optimizer.step_count());
  writer.set_metadata(std::move(metadata));
  add_tensors(writer, params, "model.");
  optimizer.for_each_state([&](std::string_view name, const auto& moments) {
    add_tensors(writer, moments, "optimizer." + std::string(name) + ".");
  });
  writer.write(path);
}

/// Restores parameters and optimiser and returns the rest. If the file does not fit, throws FileError and changes
/// nothing.
template <class Model, class B, class T, class Optimizer>
TrainState load_checkpoint(const SafetensorsFile& file, Parameters<Model, B, T>& params, Optimizer& optimizer) {
  const TrainState state{detail::metadata_steps(file, "step"), detail::metadata_number(file, "random_seed"),
                         detail::metadata_number(file, "random_counter"), detail::metadata_number(file, "loader_position")};
  const std::uint64_t optimizer_step = detail::metadata_steps(file, "optimizer_step");
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
