// Numbers: seeded random numbers, viewed by stlm or by Eigen; also token ids and patches. Only the magnitude and the disorder
// of the values matter.
#pragma once

#include <set>
#include <vector>

#include <stlm/core/batch.hpp>
#include <stlm/core/buffer.hpp>
#include <stlm/core/random.hpp>

#include "measure.hpp"

namespace bench {

/// (rows, cols) numbers in [-0.5, 0.5).
class Numbers {
 public:
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  explicit Numbers(Index rows, Index cols = 1) : rows_(rows), cols_(cols), memory_(rows * cols) {
    constexpr Index period = 65521;
    for (Index i = 0; i < memory_.size(); ++i)
      data()[i] = i < period ? stlm::random_uniform({1, 2}, static_cast<std::uint64_t>(i)) - 0.5F : data()[i - period];
  }

  float* data() const { return memory_.data(); }
  Index size() const { return memory_.size(); }
  stlm::View<float, stlm::dynamic, stlm::dynamic> view() const { return {data(), rows_, cols_}; }
  stlm::View<float, stlm::dynamic> flat() const { return memory_.view(); }

  Eigen::Map<Matrix> matrix() const { return {data(), rows_, cols_}; }
  Eigen::Map<Eigen::RowVectorXf> vector() const { return {data(), size()}; }
  Eigen::Map<Eigen::ArrayXf> array() const { return {data(), size()}; }
  Eigen::Map<Eigen::ArrayXf> row(Index r) const { return {data() + r * cols_, cols_}; }
  float& operator[](Index i) const { return data()[i]; }

 private:
  Index rows_, cols_;
  stlm::Buffer<float> memory_;
};

/// `count` ids below `vocabulary`.
inline std::vector<stlm::Token> tokens(Index count, Index vocabulary) {
  std::vector<stlm::Token> ids;
  for (Index i = 0; i < count; ++i)
    ids.push_back(static_cast<stlm::Token>(
        stlm::random_below({1, 2}, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(vocabulary))));
  return ids;
}

/// The number of different ids, which is the number of table rows that they read.
inline double distinct(const std::vector<stlm::Token>& ids) {
  return static_cast<double>(std::set<stlm::Token>(ids.begin(), ids.end()).size());
}

/// Ids as (B, T).
inline stlm::View<const stlm::Token, stlm::dynamic, stlm::dynamic> sequences(const std::vector<stlm::Token>& ids,
                                                                             Index batch = 1) {
  return {ids.data(), batch, static_cast<Index>(ids.size()) / batch};
}

/// `count` patches of `window` slots: one to ten bytes each, 5.5 on average (about an English word and its space), then pads.
inline std::vector<stlm::Token> patches(Index count, Index window) {
  std::vector<stlm::Token> slots = tokens(count * window, 256);
  const std::vector<stlm::Token> lengths = tokens(count, 10);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto at = static_cast<Index>(i);
    if (at % window > lengths[static_cast<std::size_t>(at / window)]) slots[i] = 256;
  }
  return slots;
}

}  // namespace bench
