// SafetensorsWriter: collects tensors and writes them as one safetensors file, atomically.
//
// The data begins at a multiple of 64 bytes. Tensors of wider types come first; those of equal width keep the order of `add`.
// So every tensor is aligned to its type, and the same calls give the same bytes. Throws FileError for a name used twice or
// not in UTF-8, for a number of bytes that does not fit the shape, and when the file cannot be written.
#pragma once

#include <set>

#include <stlm/io/atomic_file.hpp>
#include <stlm/io/json.hpp>
#include <stlm/io/tensor_entry.hpp>

namespace stlm {

/// Borrows the bytes given to `add` until `write` returns.
class SafetensorsWriter {
 public:
  SafetensorsWriter() = default;
  SafetensorsWriter(SafetensorsWriter&&) = default;  // no copy: it would borrow bytes that the original keeps

  /// Keeps bytes that nobody else keeps; returns them, to be given to `add`.
  std::span<const std::byte> keep(std::vector<std::byte> bytes) { return kept_.emplace_back(std::move(bytes)); }

  /// Sets the strings to write beside the tensors; replaces those set before.
  void set_metadata(Metadata metadata) {
    for (const auto& [key, value] : metadata)
      if (utf8_prefix(key) < key.size() || utf8_prefix(value) < value.size())
        fail<FileError>(who, ": metadata ", json_quote(key), ": expected UTF-8, found other bytes; encode them.");
    metadata_ = std::move(metadata);
  }

  void add(std::string name, Dtype dtype, std::vector<Index> shape, std::span<const std::byte> bytes) {
    const TensorEntry entry{std::move(name), dtype, std::move(shape), bytes};
    const auto refuse = [&](const auto&... parts) {
      fail<FileError>(who, ": tensor ", json_quote(entry.name), ": ", parts...);
    };
    if (entry.expected_bytes() != bytes.size())
      refuse("expected the bytes of ", entry.type(), ", found ", bytes.size(), "; give the shape of the bytes.");
    if (utf8_prefix(entry.name) < entry.name.size()) refuse("expected a name in UTF-8, found other bytes; rename it.");
    if (entry.name == "__metadata__") refuse("expected the name of a tensor, found the format's own; rename it.");
    if (!names_.insert(entry.name).second) refuse("expected it once, found it twice; give one another name or prefix.");
    entries_.push_back(entry);
  }

  /// Leaves an older file untouched when the new one cannot be written.
  void write(const std::string& path) const {
    std::vector<TensorEntry> entries;
    for (std::uint64_t bits = 64; bits > 0; --bits)
      for (const TensorEntry& entry : entries_)
        if (info(entry.dtype).bits == bits) entries.push_back(entry);
    std::string text = header(entries);
    text.append((64 - (8 + text.size()) % 64) % 64, ' ');
    expect<FileError>(text.size() <= max_safetensors_header, who, ": expected a header of at most ",
                      max_safetensors_header, " bytes, found ", text.size(), "; write fewer tensors or less metadata.");
    std::byte length[8];
    for (unsigned i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(std::uint64_t{text.size()} >> 8 * i & 0xFF);
    AtomicFile file(path);
    file.write(length);
    file.write(std::as_bytes(std::span(text)));
    for (const TensorEntry& entry : entries) file.write(entry.bytes);
    file.commit();
  }

 private:
  static constexpr const char* who = "stlm::SafetensorsWriter";

  std::string header(const std::vector<TensorEntry>& entries) const {
    std::string text = "{";
    const auto put = [&](std::initializer_list<std::string_view> parts) {
      for (const std::string_view part : parts) text += part;
    };
    const auto member = [&](std::string_view key) { put({text.back() == '{' ? "" : ",", json_quote(key), ":"}); };
    if (!metadata_.empty()) {
      member("__metadata__");
      text += '{';
      for (const auto& [key, value] : metadata_) {
        member(key);
        text += json_quote(value);
      }
      text += '}';
    }
    std::size_t begin = 0;
    for (const TensorEntry& entry : entries) {
      member(entry.name);
      put({"{\"dtype\":", json_quote(info(entry.dtype).name), ",\"shape\":["});
      for (const Index size : entry.shape) put({text.back() == '[' ? "" : ",", std::to_string(size)});
      const std::size_t end = begin + entry.bytes.size();
      put({"],\"data_offsets\":[", std::to_string(begin), ",", std::to_string(end), "]}"});
      begin = end;
    }
    text += '}';
    return text;
  }

  Metadata metadata_;
  std::vector<TensorEntry> entries_;
  std::set<std::string> names_;
  std::vector<std::vector<std::byte>> kept_;
};

}  // namespace stlm
