// Weights: stores the tensors of `Parameters` in safetensors files by name, in PyTorch's layout.
//
//   save(params, "model.safetensors");                     // atomic: the old file or the new one, never a part
//   load(params, "model.safetensors");                     // all tensors fit, or none is touched
//
// A checkpoint holds several sets in one file, each under a prefix, and strings in the metadata:
//
//   SafetensorsWriter writer;
//   writer.set_metadata({{"step", "1000"}});
//   add_tensors(writer, params, "model.");
//   add_tensors(writer, moments, "optimizer.m.");
//   writer.write("checkpoint.safetensors");
//
//   const SafetensorsFile file("checkpoint.safetensors");
//   check_fits(params, file, "model.");                    // check all sets before the first is overwritten
//   check_fits(moments, file, "optimizer.m.");
//   load(params, file, "model.");
//   load(moments, file, "optimizer.m.");
//
// Loading throws FileError when the file lacks a tensor of the model, holds one the model does not have, or one of
// another type or shape. float is stored as F32, double as F64; nothing is converted.
#pragma once

#include <bit>

#include <stlm/core/host_copy.hpp>
#include <stlm/core/parameter.hpp>
#include <stlm/io/safetensors.hpp>

namespace stlm {

namespace detail {

template <class T>
constexpr Dtype dtype_of() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "stlm::save, stlm::load: expected parameters of float or double; convert them first.");
  static_assert(std::endian::native == std::endian::little,
                "stlm::save, stlm::load: files are little-endian and this machine is not; bytes would need swapping.");
  return std::is_same_v<T, float> ? Dtype::kF32 : Dtype::kF64;
}

/// Throws the error of `load` about a tensor that does not fit.
template <class... Parts>
[[noreturn]] void refuse(const SafetensorsFile& file, std::string_view name, const Parts&... parts) {
  fail<FileError>("stlm::load: \"", file.name(), "\": tensor ", json_quote(name), ": ", parts...,
                  "; load the file into a model of the type that saved it.");
}
inline void check_fits(const SafetensorsFile& file, const TensorEntry& expected) {
  const TensorEntry* found = file.find(expected.name);
  if (!found) {
    for (const TensorEntry& entry : file.tensors())
      if (entry.name.ends_with("." + expected.name))
        fail<FileError>("stlm::load: \"", file.name(), "\": expected a tensor ", json_quote(expected.name), ", found ",
                        json_quote(entry.name), ": if this is a checkpoint, use load_checkpoint, or load(params, "
                        "SafetensorsFile(path), prefix) for its weights alone.");
    refuse(file, expected.name, "expected ", expected.type(), ", found no tensor of that name");
  }
  if (found->dtype != expected.dtype)
    refuse(file, expected.name, "expected the dtype of ", expected.type(), ", found ", found->type());
  if (found->shape != expected.shape)
    refuse(file, expected.name, "expected the shape of ", expected.type(), ", found ", found->type());
}

/// The tensor's entry in a file; its bytes are the weights in place, not a copy.
template <class T, class Shape>
TensorEntry tensor_entry(std::string_view prefix, const Path& path, const TensorView<T, Shape>& view) {
  const std::span<const T> numbers(view.data(), static_cast<std::size_t>(view.size()));
  TensorEntry entry{std::string(prefix) + path.str(), dtype_of<T>(), {}, std::as_bytes(numbers)};
  for (int dim = 0; dim < Shape::rank; ++dim) entry.shape.push_back(view.extent(dim));
  return entry;
}

}  // namespace detail

/// Adds every tensor of `params` to `writer`, named `prefix` + its path. The writer borrows the weights until `write` returns,
/// or keeps a copy if the host cannot read them.
template <class Model, class Backend, class T>
void add_tensors(SafetensorsWriter& writer, const Parameters<Model, Backend, T>& params, std::string_view prefix = {}) {
  params.for_each([&]<class Shape>(const Path& path, const TensorView<T, Shape>& view, const ParameterSpec&) {
    TensorEntry entry = detail::tensor_entry(prefix, path, view);
    if constexpr (!in_host_memory<Backend>) {
      std::vector<std::byte> copy(entry.bytes.size());
      host_copy<Backend>(entry.bytes, std::span(copy));
      entry.bytes = writer.keep(std::move(copy));
    }
    writer.add(std::move(entry.name), entry.dtype, std::move(entry.shape), entry.bytes);
  });
}

template <class Model, class Backend, class T>
void save(const Parameters<Model, Backend, T>& params, const std::string& path, Metadata metadata = {}) {
  SafetensorsWriter writer;
  writer.set_metadata(std::move(metadata));
  add_tensors(writer, params);
  writer.write(path);
}

/// Throws what `load` would throw, and changes nothing. Tensors whose names do not begin with `prefix` are ignored.
template <class Model, class Backend, class T>
void check_fits(const Parameters<Model, Backend, T>& params, const SafetensorsFile& file,
                std::string_view prefix = {}) {
  std::set<std::string, std::less<>> names;
  params.for_each([&]<class Shape>(const Path& path, const TensorView<T, Shape>& view, const ParameterSpec&) {
    TensorEntry expected = detail::tensor_entry(prefix, path, view);
    detail::check_fits(file, expected);
    names.insert(std::move(expected.name));
  });
  for (const TensorEntry& entry : file.tensors())
    if (entry.name.starts_with(prefix) && !names.contains(entry.name))
      detail::refuse(file, entry.name, "expected only the ", names.size(), " tensors of the model, found this one of ",
                     entry.type());
}

/// Fills `params` from the tensors named `prefix` + their paths, after check_fits has found that all fit.
template <class Model, class Backend, class T>
void load(Parameters<Model, Backend, T>& params, const SafetensorsFile& file, std::string_view prefix = {}) {
  check_fits(params, file, prefix);
  params.for_each([&]<class Shape>(const Path& path, const TensorView<T, Shape>& view, const ParameterSpec&) {
    const TensorEntry& stored = file.tensor(std::string(prefix) + path.str());
    Backend::memory_space::from_host(view.data(), stored.bytes.data(), stored.bytes.size());
  });
}

template <class Model, class Backend, class T>
void load(Parameters<Model, Backend, T>& params, const std::string& path) {
  load(params, SafetensorsFile(path));
}

}  // namespace stlm
