// LineReader: the lines of a text file in order; errors name the file and the line.
#pragma once

#include <stlm/io/json.hpp>
#include <stlm/io/mapped_file.hpp>

namespace stlm::detail {

class LineReader {
 public:
  /// `who`: the function that reads the file; every error message begins with it.
  LineReader(const std::string& path, const std::string& who)
      : file_(path), rest_(file_.text()), where_(who + ": \"" + path + "\" line ") {}

  /// Goes to the next line; false when there is none.
  bool next() {
    ++number_;
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    const bool found = !rest_.empty();
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    return found;
  }
  std::string_view line() const { return line_; }
  /// Whether the line is empty but for white space.
  bool blank() const { return line_.find_first_not_of(" \t\r") == std::string_view::npos; }
  std::size_t number() const { return number_; }
  bool empty() const { return file_.size() == 0; }  ///< the file
  /// The beginning of an error message: function, file and the current line.
  std::string where() const { return where_ + std::to_string(number_); }

  /// Throws FileError: expected `what` in the current line.
  template <class... What>
  [[noreturn]] void expected(const What&... what) const {
    const std::string_view start = line_.substr(0, 60);
    const std::string_view text = start.substr(0, utf8_prefix(start));
    const std::string found = line_.empty() ? "nothing" : text.empty() ? "bytes that are no UTF-8" : json_quote(text);
    fail<FileError>(where(), ": expected ", what..., ", found ", found, JsonReader::damaged);
  }

 private:
  MappedFile file_;
  std::string_view rest_, line_;
  std::string where_;
  std::size_t number_ = 0;
};

}  // namespace stlm::detail
