// Perplexity per character: comparable across tokenizers, because its unit depends on the text and not on the vocabulary.
//
//   mean over b of exp( sum over t of CE[b, t] / characters[b] )
//
// CE are the losses of a forward pass, 0 where the target does not count. The caller chooses the unit by the counts that it
// gives: bytes (`text.size()`), or code points of UTF-8 as Python's len(str) and the STLM reference count them. The count
// of a row covers all its text, even if the objective lets only some targets count.
//
//   stlm::forward(ctx, params, batch, acts);
//   const double perplexity = stlm::character_perplexity(acts.cache().losses, counts);
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include <stlm/core/error.hpp>
#include <stlm/core/tensor_view.hpp>
#include <stlm/io/utf8.hpp>

namespace stlm {

/// Code points in `text`; a byte that belongs to no UTF-8 character counts as one.
constexpr Index count_code_points(std::string_view text) {
  Index count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(std::max<std::size_t>(1, utf8_length(text)));
  return count;
}

/// losses (B*T) in nats, in host memory; characters (B).
template <class T, class Shape>
double character_perplexity(const TensorView<T, Shape>& losses, std::span<const Index> characters) {
  const auto batch = static_cast<Index>(characters.size());
  expect(batch > 0 && losses.size() % batch == 0, "stlm::character_perplexity: ", losses.size(), " losses cannot be ",
         batch, " rows of one length; give one count of characters for each row.");
  const Index tokens = losses.size() / batch;
  double mean = 0;
  for (Index b = 0; b < batch; ++b) {
    const Index count = characters[static_cast<std::size_t>(b)];
    expect<Error>(count > 0, "stlm::character_perplexity: row ", b, " has ", count,
                  " characters; leave empty rows out.");
    double nats = 0;
    for (Index t = 0; t < tokens; ++t) nats += static_cast<double>(losses.data()[b * tokens + t]);
    mean += std::exp(nats / static_cast<double>(count)) / static_cast<double>(batch);
  }
  return mean;
}

}  // namespace stlm
