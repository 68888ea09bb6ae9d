// TensorEntry: one tensor of a safetensors file: its name, type, shape and bytes; and what reader and writer share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <stlm/core/config.hpp>

namespace stlm {

/// The types of the safetensors format. stlm computes with F32 and F64 and carries the others as bytes.
enum class Dtype {
  kF64,
  kI64,
  kU64,
  kC64,
  kF32,
  kI32,
  kU32,
  kF16,
  kBF16,
  kI16,
  kU16,
  kBool,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E5M2FNUZ,
  kF8E4M3FNUZ,
  kF6E3M2,
  kF6E2M3,
  kF4
};

struct DtypeInfo {
  std::string_view name;
  std::uint64_t bits;
};

/// In the order of `Dtype`.
inline constexpr DtypeInfo dtype_infos[] = {
    {"F64", 64},        {"I64", 64},    {"U64", 64},    {"C64", 64},    {"F32", 32},    {"I32", 32},
    {"U32", 32},        {"F16", 16},    {"BF16", 16},   {"I16", 16},    {"U16", 16},    {"BOOL", 8},
    {"U8", 8},          {"I8", 8},      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E5M2FNUZ", 8},
    {"F8_E4M3FNUZ", 8}, {"F6_E3M2", 6}, {"F6_E2M3", 6}, {"F4", 4}};

constexpr const DtypeInfo& info(Dtype dtype) {
  return dtype_infos[static_cast<std::size_t>(dtype)];
}

/// Strings that a file carries beside its tensors.
using Metadata = std::map<std::string, std::string, std::less<>>;

inline constexpr std::size_t max_safetensors_header = 100'000'000;  ///< bytes; as in the format's own library

struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<Index> shape;          ///< row-major, outermost first
  std::span<const std::byte> bytes;  ///< borrowed, little-endian

  /// The number of bytes of this type and shape. Nothing if it is not whole, a size is negative, or the bits exceed 2^63 - 1.
  std::optional<std::size_t> expected_bytes() const {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
    std::uint64_t bits = info(dtype).bits;
    for (const Index size : shape) {
      const auto factor = static_cast<std::uint64_t>(size);
      if (size < 0 || (factor != 0 && bits > most / factor)) return {};
      bits *= factor;
    }
    if (bits % 8 != 0) return {};
    return static_cast<std::size_t>(bits / 8);
  }

  /// "F32 [2, 3]": type and shape as errors show them.
  std::string type() const {
    std::string text = std::string(info(dtype).name) + " [";
    for (const Index size : shape) text += (text.back() == '[' ? "" : ", ") + std::to_string(size);
    return text + "]";
  }
};

}  // namespace stlm
