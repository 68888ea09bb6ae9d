// MappedFile: the bytes of a file, mapped read-only: the operating system loads the pages that are touched, and drops them
// again when memory is short.
//
// Throws FileError when the path is missing, a folder, not a regular file, or may not be read. An empty file is an
// empty span. A file that another program shortens while it is mapped ends the process (SIGBUS); one replaced by
// `AtomicFile` does not: the mapping keeps the old bytes. If a program writes into the file meanwhile, each read may find
// other bytes.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <stlm/io/file_descriptor.hpp>

namespace stlm {

class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::string& path) {
    constexpr const char *who = "stlm::MappedFile", *advice = "give the path of a file that exists and may be read";
    detail::expect_path(who, path);
    // O_NONBLOCK: a pipe without a writer is refused below instead of being waited for.
    const detail::FileDescriptor file(
        detail::retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    struct stat status = {};
    if (!file || ::fstat(file.get(), &status) != 0) detail::fail_errno(who, "open", path, advice);
    if (!S_ISREG(status.st_mode))
      fail<FileError>(who, ": expected a regular file at \"", path, "\", found ",
                      S_ISDIR(status.st_mode) ? "a folder" : "a pipe, socket or device", "; ", advice, ".");
    if (!std::in_range<std::ptrdiff_t>(status.st_size))
      fail<FileError>(who, ": \"", path, "\" has ", status.st_size,
                      " bytes, more than a pointer of this machine reaches; ", "split the file.");
    if (status.st_size == 0) return;
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (start == MAP_FAILED) detail::fail_errno(who, "map", path, "free memory, or move it to a local disk");
    bytes_ = {static_cast<const std::byte*>(start), size};
  }
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }

  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace stlm
