// reference_patches: the patches that the reference's data preparation makes of a text. It loses text; PatchText with the
// same boundary does not.
//
// Each token of the pooling tokenizer is decoded to a string of its own, so a token that is part of a character becomes
// U+FFFD. Bytes of a token beyond the window are lost. An end of text becomes the bytes of "<|endoftext|>", cut to the
// window too. Nats per byte of these patches are not nats per byte of the text.
#pragma once

#include <stlm/data/patch_text.hpp>
#include <stlm/io/utf8_state.hpp>
#include <stlm/tokenizer/token_boundary.hpp>

namespace stlm {

/// `text` as the reference prepares it, in patches of at most `window` bytes.
inline PatchText reference_patches(const ByteText& text, const TokenBoundary& boundary, Index window) {
  expect<Error>(window >= 1, "stlm::reference_patches: expected patches of at least one byte, found ", window, ".");
  std::string all;
  std::vector<Index> lengths;
  const auto add = [&](std::string_view bytes) {
    const std::string_view cut = bytes.substr(0, static_cast<std::size_t>(window));
    all += cut;
    lengths.push_back(std::ssize(cut));
  };
  text.for_each_document([&](std::string_view document, bool ended) {
    boundary.for_each_token(document, [&](std::string_view token) { add(repaired_utf8(token)); });
    if (ended) add(ByteTokenizer::written_end_of_text);
  });
  return PatchText(ByteText::from_string(std::move(all)), lengths, window);
}

}  // namespace stlm
