// ByteText: the bytes of one or several documents as tokens, with an end of text between documents.
//
//   ByteText text = ByteText::from_files({"a.txt", "b.txt"});       // memory-mapped, never copied
//   auto [train, held_out] = text.split(0.1);                       // the last tenth is held out
//
// Each file is a document; a separator (say "<|endoftext|>" or a blank line) cuts files into more. One token,
// ByteTokenizer::end_of_text, stands between two documents, and none after the last. Empty documents are left out. Copies
// share the mapping. Throws FileError if a file is empty or cannot be read, and Error if there is no byte of text.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stlm/io/mapped_file.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

class ByteText {
 public:
  static ByteText from_files(const std::vector<std::string>& paths, std::string_view separator = {}) {
    auto storage = std::make_shared<Storage>();
    for (const std::string& path : paths) {
      storage->files.emplace_back(path);
      const auto bytes = storage->files.back().bytes();
      add(*storage, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, separator);
      expect<FileError>(!bytes.empty(), "stlm::ByteText: \"", path, "\" is empty; give a file with text.");
    }
    expect<Error>(storage->size > 0, paths.empty() ? "stlm::ByteText: no file was given; name at least one."
                                                  : "stlm::ByteText: the files hold nothing but separators; give text.");
    return ByteText(std::move(storage));
  }
  static ByteText from_string(std::string text, std::string_view separator = {}) {
    auto storage = std::make_shared<Storage>();
    storage->text = std::move(text);
    add(*storage, storage->text, separator);
    expect<Error>(storage->size > 0, "stlm::ByteText: the text is empty; give at least one byte.");
    return ByteText(std::move(storage));
  }

  Index size() const { return end_ - begin_; }

  /// Bytes, ends of text not counted: the divisor of bits per byte.
  Index num_bytes() const {
    Index marks = 0;
    for (const Document& document : storage_->documents) {
      const Index mark = document.begin + static_cast<Index>(document.text.size());
      marks += mark >= begin_ && mark < end_;
    }
    return size() - marks;
  }

  /// Token i, which may be negative: a part continues backwards into the text it was cut from. Every token before that
  /// whole text is an end of text.
  Token operator[](Index i) const {
    Token token;
    copy(i, 1, &token);
    return token;
  }

  /// Tokens [i, i + count) into `to`.
  void copy(Index i, Index count, Token* to) const {
    Index position = begin_ + i;
    for (; count > 0 && position < 0; --count, ++position) *to++ = ByteTokenizer::end_of_text;
    const auto& documents = storage_->documents;
    auto document = std::upper_bound(documents.begin(), documents.end(), position,
                                     [](Index p, const Document& d) { return p < d.begin; });
    if (document != documents.begin()) --document;
    for (; count > 0 && document != documents.end(); ++document) {
      const auto size = static_cast<Index>(document->text.size());
      for (Index at = position - document->begin; at <= size && count > 0; ++at, ++position, --count)
        *to++ = at == size ? ByteTokenizer::end_of_text
                           : static_cast<Token>(static_cast<unsigned char>(document->text[static_cast<std::size_t>(at)]));
    }
    std::fill_n(to, count, ByteTokenizer::end_of_text);
  }

  /// Calls each(bytes, ended) for the part of each document that lies in this text. `ended`: the document's end of text
  /// lies in it too.
  template <class Each>
  void for_each_document(Each&& each) const {
    for (const auto& [begin, text] : storage_->documents) {
      const Index size = std::ssize(text);
      const Index from = std::max<Index>(begin_ - begin, 0), to = std::min(end_ - begin, size + 1);
      if (from >= to) continue;
      each(text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(std::min(to, size) - from)), to > size);
    }
  }

  /// Two parts: the second is the last `fraction` of the tokens, the first is the rest.
  std::pair<ByteText, ByteText> split(double fraction) const {
    expect<Error>(fraction > 0 && fraction < 1, "stlm::ByteText: expected a held-out fraction in (0, 1), found ", fraction,
                  "; 0.1 holds out the last tenth.");
    const Index cut = static_cast<Index>(static_cast<double>(size()) * (1 - fraction));
    return {part(0, cut), part(cut, size())};
  }
  ByteText part(Index begin, Index end) const {
    expect<Error>(0 <= begin && begin <= end && end <= size(), "stlm::ByteText: part [", begin, ", ", end, ") of ", size(),
                  " tokens does not exist; give two places in the text.");
    ByteText text = *this;
    text.begin_ = begin_ + begin;
    text.end_ = begin_ + end;
    return text;
  }

 private:
  struct Document {
    Index begin;
    std::string_view text;
  };
  struct Storage {
    std::vector<MappedFile> files;
    std::string text;
    std::vector<Document> documents;
    Index size = 0;
  };

  static void add(Storage& storage, std::string_view text, std::string_view separator) {
    for (;;) {
      const std::size_t cut = separator.empty() ? std::string_view::npos : text.find(separator);
      const std::string_view document = text.substr(0, cut);
      if (!document.empty()) {
        storage.documents.push_back({storage.size, document});
        storage.size += static_cast<Index>(document.size()) + 1;
      }
      if (cut == std::string_view::npos) return;
      text.remove_prefix(cut + separator.size());
    }
  }

  /// The end of text after the last document is not part of the text, because no document follows.
  explicit ByteText(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)), end_(storage_->size - 1) {}

  std::shared_ptr<const Storage> storage_;
  Index begin_ = 0, end_;
};

}  // namespace stlm
