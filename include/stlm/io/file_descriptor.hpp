// FileDescriptor: an open file or folder of the operating system (POSIX), closed when it goes out of scope; and the
// error that reports a failed system call.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <stlm/core/error.hpp>

namespace stlm::detail {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retry(Call&& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

/// Throws FileError if `path` has a NUL: the operating system would stop reading there and take the name of another file.
inline void expect_path(const char* who, const std::string& path) {
  expect<FileError>(path.find('\0') == path.npos, who, ": expected a path, found one with a NUL byte after \"", path.c_str(),
                    "\"; make the string as long as its text.");
}

/// Throws FileError with the text of `errno`: `who: cannot DO "path": No such file or directory (errno 2); ADVICE.`
[[noreturn]] inline void fail_errno(const char* who, const char* action, const std::string& path, const char* advice) {
  const int code = errno;
  fail<FileError>(who, ": cannot ", action, " \"", path, "\": ", std::generic_category().message(code), " (errno ",
                  code, "); ", advice, ".");
}

}  // namespace stlm::detail
