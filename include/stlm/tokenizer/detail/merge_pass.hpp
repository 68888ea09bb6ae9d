// What both training rules do with ids: append the ids of bytes, and replace pairs.
#pragma once

#include <stlm/tokenizer/detail/flat_map.hpp>

namespace stlm::detail {

inline void append_bytes(std::vector<Token>& ids, std::string_view text) {
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
}

/// One pass from left to right: a pair of neighbours becomes the id `*id_of(pair)`, if the pointer is not null.
template <class IdOf>
void merge_pass(std::vector<Token>& ids, IdOf&& id_of) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < ids.size(); ++from) {
    const Token* const id = from + 1 < ids.size() ? id_of(TokenPair{ids[from], ids[from + 1]}) : nullptr;
    ids[to++] = id ? *id : ids[from];
    from += id != nullptr;
  }
  ids.resize(to);
}

}  // namespace stlm::detail
