// AtomicFile: a file that appears whole or not at all. The bytes go to a temporary file in the same folder and to the
// disk (fsync); only then does the file get the name asked for (rename; fsync of the folder). Whenever the process or the
// machine stops, the name holds the old bytes or the new ones, never a part. Where the system has files without a name
// (O_TMPFILE), the temporary file gets a name only when it is whole, so a process killed while writing leaves nothing behind.
//
//   AtomicFile file("model.safetensors");
//   file.write(header); file.write(data);
//   file.commit();                              // without it the destructor removes the temporary file
//
// The new file has the permissions of any new file, not those of the old one; a symbolic link at the name is replaced.
// Throws FileError when the folder is missing or may not be written, when the name belongs to something other than a
// regular file, and when the disk is full.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>

#include <stlm/io/file_descriptor.hpp>

namespace stlm {

class AtomicFile {
 public:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    name_ = slash == std::string::npos ? path_ : path_.substr(slash + 1);
    detail::expect_path(who, path_);
    expect<FileError>(!name_.empty(), who, ": expected the path of a file, found \"", path_, "\"; add a file name.");

    folder_ = detail::FileDescriptor(
        detail::retry([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!folder_)
      detail::fail_errno(who, "open the folder of", path_,
                         errno == EACCES ? "allow it to be read" : "make the folder first");
    struct stat status = {};
    const bool found = ::fstatat(folder_.get(), name_.c_str(), &status, 0) == 0;
    if (!found && errno == ENAMETOOLONG) detail::fail_errno(who, "create", path_, "give a shorter name");
    if (found && !S_ISREG(status.st_mode))
      fail<FileError>(who, ": expected a regular file or nothing at \"", path_, "\", found ",
                      S_ISDIR(status.st_mode) ? "a folder" : "a pipe, socket or device", "; give another name.");
    if (!open_nameless()) {
      const auto open = [&](const char* name) {
        file_ = detail::FileDescriptor(
            detail::retry([&] { return ::openat(folder_.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
        return static_cast<bool>(file_);
      };
      make_temporary(open);
    }
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (!temporary_.empty()) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
  }

  void write(std::span<const std::byte> bytes) {
    expect<FileError>(static_cast<bool>(file_), who, ": expected nothing more for \"", path_,
                      "\" after its commit or a failure.");
    constexpr std::size_t most = std::size_t{1} << 30;  // some systems refuse more in one call
    while (!bytes.empty()) {
      const auto count =
          detail::retry([&] { return ::write(file_.get(), bytes.data(), std::min(bytes.size(), most)); });
      if (count < 0) give_up("write");
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  /// Gives the file its name. Nothing may be written afterwards.
  void commit() {
    expect<FileError>(static_cast<bool>(file_), who, ": expected nothing more for \"", path_,
                      "\" after its commit or a failure.");
    if (detail::retry([&] { return ::fsync(file_.get()); }) != 0) give_up("bring to the disk");
    if (temporary_.empty()) {
      const std::string source = "/proc/self/fd/" + std::to_string(file_.get());
      make_temporary([&](const char* name) {
        return ::linkat(AT_FDCWD, source.c_str(), folder_.get(), name, AT_SYMLINK_FOLLOW) == 0;
      });
    }
    file_ = {};
    if (::renameat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str()) != 0)
      detail::fail_errno(who, "put in place", path_, "check the permissions of the folder; the old file is untouched");
    temporary_.clear();
    // EINVAL: the file system cannot sync folders; the rename alone must do.
    if (detail::retry([&] { return ::fsync(folder_.get()); }) != 0 && errno != EINVAL)
      detail::fail_errno(who, "bring to the disk the folder of", path_, "check the disk and write the file again");
  }

 private:
  static constexpr const char* who = "stlm::AtomicFile";

  /// Fails because the temporary file is incomplete: nothing more may be written or committed.
  [[noreturn]] void give_up(const char* action) {
    const int code = errno;
    file_ = {};
    errno = code;
    detail::fail_errno(who, action, path_, "make room on the disk; the old file is untouched");
  }

  /// Opens a file without a name, which `commit` gives one. False if the system has no such files, or no /proc to name them by.
  bool open_nameless() {
#if defined(O_TMPFILE)
    if (::access("/proc/self/fd", F_OK) == 0)
      file_ = detail::FileDescriptor(
          detail::retry([&] { return ::openat(folder_.get(), ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666); }));
#endif
    return static_cast<bool>(file_);
  }

  /// Calls `make(name)` with names NAME.tmp-PROCESS-NUMBER until one is free: no other thread uses it, and no process that died
  /// left it. A long NAME is cut, as file names have at most 255 bytes.
  template <class Make>
  void make_temporary(const Make& make) {
    static std::atomic<unsigned> number{0};
    std::string name;
    bool made = false;
    do {
      name = name_.substr(0, 200) + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(number++);
      made = make(name.c_str());
    } while (!made && errno == EEXIST);
    if (!made) detail::fail_errno(who, "create a temporary file beside", path_, "check the permissions of the folder");
    temporary_ = std::move(name);
  }

  std::string path_, name_, temporary_;
  detail::FileDescriptor folder_, file_;
};

/// Writes a whole file: it holds exactly `bytes` afterwards, or what it held before.
inline void write_file(const std::string& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace stlm
