// FlatMap<Key, Value>: a hash table with linear probing, at most half full. Its two key types are TokenPair, a pair of ids,
// and ShortPiece, a short piece of text.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <stlm/core/config.hpp>

namespace stlm {

/// Two neighbouring ids.
struct TokenPair {
  Token left = -1, right = -1;
  friend auto operator<=>(const TokenPair&, const TokenPair&) = default;
  friend bool operator==(const TokenPair&, const TokenPair&) = default;
};

}  // namespace stlm

namespace stlm::detail {

inline std::uint64_t hash(TokenPair pair) {
  return std::bit_cast<std::uint64_t>(pair) * 0x9E3779B97F4A7C15u;
}

/// At most 15 bytes as two numbers, which are faster to compare: the bytes, then zeros, and the length in the last byte.
struct ShortPiece {
  static constexpr std::size_t most_bytes = 15;

  std::uint64_t low = 0, high = 0;

  ShortPiece() = default;
  explicit ShortPiece(std::string_view piece) {
    char bytes[16] = {};
    std::memcpy(bytes, piece.data(), piece.size());
    bytes[15] = static_cast<char>(piece.size());
    std::memcpy(&low, bytes, 8);
    std::memcpy(&high, bytes + 8, 8);
  }
  friend bool operator==(const ShortPiece&, const ShortPiece&) = default;
  friend std::uint64_t hash(const ShortPiece& key) {
    return (key.low ^ std::rotl(key.high * 0x9E3779B97F4A7C15u, 32)) * 0xD6E8FEB86659FD93u;
  }
};

/// The upper bits of hash(Key) choose the slot. A default Key marks an empty slot, so no entry may have it.
template <class Key, class Value>
class FlatMap {
 public:
  std::size_t size() const { return size_; }

  /// Null when the key is absent.
  const Value* find(const Key& key) const {
    const Slot& slot = slots_[place(key)];
    return slot.key == Key() ? nullptr : &slot.value;
  }
  /// Adds the key with a default value when it is absent.
  Value& operator[](const Key& key) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[place(key)];
    size_ += slot.key == Key();
    slot.key = key;
    return slot.value;
  }
  template <class F>
  void for_each(F&& visit) const {
    for (const Slot& slot : slots_)
      if (slot.key != Key()) visit(slot.key, slot.value);
  }

 private:
  struct Slot {
    Key key;
    Value value{};
  };

  /// The slot of `key`, or the empty slot that it would take.
  std::size_t place(const Key& key) const {
    auto at = static_cast<std::size_t>(hash(key) >> shift_);
    while (slots_[at].key != key && slots_[at].key != Key()) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    --shift_;
    for (Slot& slot : old)
      if (slot.key != Key()) slots_[place(slot.key)] = std::move(slot);
  }

  std::vector<Slot> slots_ = std::vector<Slot>(16);
  std::size_t size_ = 0;
  int shift_ = 60;  // 64 - log2 of the number of slots
};

}  // namespace stlm::detail
