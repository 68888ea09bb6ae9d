// SafetensorsFile: the tensors and the metadata of a safetensors file, mapped into memory.
//
// The reader checks everything. It throws a FileError, which names the file and, if there is one, the tensor, for a header
// that is too long, cut off or not the JSON of the format, an unknown dtype, a size that overflows, data_offsets outside the
// data or of another length than the shape, overlaps, holes, and bytes that belong to no tensor.
#pragma once

#include <algorithm>

#include <stlm/io/json.hpp>
#include <stlm/io/mapped_file.hpp>
#include <stlm/io/tensor_entry.hpp>

namespace stlm {

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path) : name_(path), map_(path) { read(map_.bytes()); }
  /// Reads from memory: weights that are part of the program, or came over a network. Borrows `bytes`; errors show `name`.
  SafetensorsFile(std::span<const std::byte> bytes, std::string name) : name_(std::move(name)) { read(bytes); }

  const std::string& name() const { return name_; }
  /// All tensors, sorted by name. Their bytes live as long as this object.
  const std::vector<TensorEntry>& tensors() const { return tensors_; }
  const Metadata& metadata() const { return metadata_; }

  /// Null when there is no such tensor.
  const TensorEntry* find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(tensors_, name, {}, &TensorEntry::name);
    return found != tensors_.end() && found->name == name ? &*found : nullptr;
  }
  const TensorEntry& tensor(std::string_view name) const {
    const TensorEntry* entry = find(name);
    if (!entry)
      bad("expected a tensor ", json_quote(name), ", found none of that name among ", tensors_.size(),
          "; check the name.");
    return *entry;
  }
  const std::string& metadata(std::string_view key) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) bad("expected metadata ", json_quote(key), ", found none; give a file that has it.");
    return found->second;
  }

 private:
  static constexpr const char* damaged = JsonReader::damaged;

  std::string where() const { return "stlm::SafetensorsFile: \"" + name_ + "\": "; }
  template <class... Parts>
  [[noreturn]] void bad(const Parts&... parts) const {
    fail<FileError>(where(), parts...);
  }

  void read(std::span<const std::byte> file) {
    if (file.size() < 8) bad("expected 8 bytes with the length of the header, found ", file.size(), " bytes", damaged);
    std::uint64_t length = 0;
    for (std::size_t i = 8; i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(file[i]);
    if (length > max_safetensors_header)
      bad("expected a header of at most ", max_safetensors_header, " bytes, found the length ", length, damaged);
    if (length > file.size() - 8)
      bad("expected ", length, " bytes of header, found the end of the file after ", file.size() - 8, damaged);
    const std::span<const std::byte> data = file.subspan(8 + static_cast<std::size_t>(length));
    const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, static_cast<std::size_t>(length));

    JsonReader json(text, where() + "header");
    if (!text.starts_with('{')) json.expected("'{'");
    json.object([&](const std::string& key) {
      if (key == "__metadata__") return json.object([&](const std::string& name) { metadata_[name] = json.string(); });
      const std::string outer = json.where(where() + "tensor " + json_quote(key));
      tensors_.push_back(read_entry(json, key, data));
      json.where(outer);
    });
    json.end();
    check_cover(data);
    std::ranges::sort(tensors_, {}, &TensorEntry::name);
  }

  TensorEntry read_entry(JsonReader& json, const std::string& name, std::span<const std::byte> data) const {
    const auto refuse = [&](const auto&... parts) { bad("tensor ", json_quote(name), ": ", parts...); };
    std::optional<std::string> dtype;
    std::optional<std::vector<std::uint64_t>> shape, offsets;
    json.object([&](const std::string& key) {
      if (key == "dtype") return void(dtype = json.string());
      if (key == "shape") return void(shape = json.integers());
      if (key == "data_offsets") return void(offsets = json.integers());
      refuse("expected the keys dtype, shape and data_offsets, found ", json_quote(key), damaged);
    });
    constexpr const char* keys = "expected the keys dtype, shape and data_offsets, found no ";
    if (!dtype) refuse(keys, "dtype", damaged);
    if (!shape) refuse(keys, "shape", damaged);
    if (!offsets) refuse(keys, "data_offsets", damaged);

    TensorEntry entry;
    entry.name = name;
    const auto* known = std::ranges::find(dtype_infos, *dtype, &DtypeInfo::name);
    if (known == std::end(dtype_infos))
      refuse("expected a dtype of the format, such as F32, found ", json_quote(*dtype), "; convert the tensor to F32.");
    entry.dtype = static_cast<Dtype>(known - dtype_infos);
    for (const std::uint64_t size : *shape) {
      if (!std::in_range<Index>(size)) refuse("expected sizes below 2^63 in its shape, found ", size, damaged);
      entry.shape.push_back(static_cast<Index>(size));
    }
    if (offsets->size() != 2) refuse("expected two data_offsets, found ", offsets->size(), damaged);
    const std::uint64_t begin = offsets->front(), end = offsets->back();
    if (begin > end || end > data.size())
      refuse("expected data_offsets within the ", data.size(), " bytes of data, found [", begin, ", ", end, "]",
             damaged);
    const auto expected = entry.expected_bytes();
    if (!expected) refuse("expected whole bytes, fewer than 2^60, found ", entry.type(), damaged);
    if (*expected != end - begin)
      refuse("expected ", *expected, " bytes for ", entry.type(), ", found data_offsets [", begin, ", ", end, "] of ",
             end - begin, damaged);
    entry.bytes = data.subspan(static_cast<std::size_t>(begin), *expected);
    return entry;
  }

  /// Each tensor must begin where the one before ends, and the last end with the data.
  void check_cover(std::span<const std::byte> data) {
    const auto offset = [&](const TensorEntry& entry) { return entry.bytes.data() - data.data(); };
    std::ranges::sort(tensors_, {},
                      [&](const TensorEntry& entry) { return std::pair(offset(entry), entry.bytes.size()); });
    Index next = 0;
    for (const TensorEntry& entry : tensors_) {
      if (offset(entry) != next)
        bad("tensor ", json_quote(entry.name), ": expected to begin at byte ", next,
            " of the data, the first free one, ", "found ", offset(entry),
            offset(entry) < next ? ", which overlaps another tensor" : ", which leaves a hole", damaged);
      next += std::ssize(entry.bytes);
    }
    if (next != std::ssize(data))
      bad("expected tensors that cover the ", data.size(), " bytes of data, found only ", next, " covered", damaged);
  }

  std::string name_;
  MappedFile map_;
  Metadata metadata_;
  std::vector<TensorEntry> tensors_;
};

}  // namespace stlm
