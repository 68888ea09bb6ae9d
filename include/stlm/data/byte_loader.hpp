// ByteLoader<Model>: batches of windows of a text in a seeded order that can be resumed anywhere (window_order.hpp);
// `position()` is its whole state. ByteLoader<Model, TokenText> reads the tokens of a tokenizer.
#pragma once

#include <vector>

#include <stlm/core/batch.hpp>
#include <stlm/data/byte_text.hpp>
#include <stlm/data/flat_text.hpp>
#include <stlm/data/window_order.hpp>

namespace stlm {

template <class Model, FlatText Text = ByteText>
class ByteLoader {
  static_assert(!requires { Model::window; }, "stlm::ByteLoader: this is a model over patches; use stlm::PatchLoader.");

 public:
  ByteLoader(Text text, BatchShape shape, std::uint64_t seed = 0)
      : text_(std::move(text)), shape_(shape), order_(text_.size(), shape.tokens, seed) {
    expect_tokens_in("ByteLoader", shape);
    expect<Error>(text_.size() > shape.tokens, "stlm::ByteLoader: expected a text of more than ", shape.tokens,
                  " tokens, found ", text_.size(), "; give more text or a shorter window.");
    tokens_.resize(static_cast<std::size_t>(shape.batch * (shape.tokens + 1)));
    inputs_.resize(static_cast<std::size_t>(shape.batch * shape.tokens));
    targets_.resize(inputs_.size());
  }
  ByteLoader(const std::string& path, BatchShape shape, std::uint64_t seed = 0)
      : ByteLoader(Text::from_files({path}), shape, seed) {}

  /// The next batch; its views are valid until the next call.
  Batch next() {
    for (Index b = 0; b < shape_.batch; ++b) {
      Token* const window = tokens_.data() + b * (shape_.tokens + 1);
      text_.copy(window_start(position_++), shape_.tokens + 1, window);
      std::copy_n(window, shape_.tokens, inputs_.data() + b * shape_.tokens);
      std::copy_n(window + 1, shape_.tokens, targets_.data() + b * shape_.tokens);
    }
    return {{inputs_.data(), shape_.batch, shape_.tokens}, {targets_.data(), shape_.batch, shape_.tokens}};
  }

  /// Windows returned so far; `seek` continues from any position.
  std::uint64_t position() const { return position_; }
  void seek(std::uint64_t position) { position_ = position; }

  /// Where window n of the endless sequence begins.
  Index window_start(std::uint64_t n) const { return order_.start(n); }

 private:
  Text text_;
  BatchShape shape_;
  WindowOrder order_;
  std::uint64_t position_ = 0;
  std::vector<Token> tokens_, inputs_, targets_;
};

}  // namespace stlm
