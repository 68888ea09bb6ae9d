// ByteModel<Config>: a flat language model over bytes, from a configuration that is a type.
//
//   struct Tiny : stlm::ByteModelDefaults {                     // override what differs
//     static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 320;
//   };
//   using Model = stlm::ByteModel<Tiny>;
//
// It is a TokenModel whose vocabulary is the bytes. A configuration must name `dim` (C), `layers`, `heads` (H) and `ffn_dim`
// (F); TokenModelDefaults has the rest.
#pragma once

#include <stlm/models/token_model.hpp>
#include <stlm/nn/sequential.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

struct ByteModelDefaults : TokenModelDefaults {
  static constexpr int vocabulary = ByteTokenizer::vocabulary;  // 256 bytes, pad, end of text
  static constexpr Token ignore = ByteTokenizer::pad;
};

namespace detail {
template <class Config>
struct ByteModelParts : TokenModelParts<Config> {
  static_assert(std::is_base_of_v<ByteModelDefaults, Config>,
                "stlm::ByteModel: the configuration lacks the defaults; derive it from stlm::ByteModelDefaults.");
};
}  // namespace detail

template <class Config>
using ByteModel = typename detail::ByteModelParts<Config>::Model;

}  // namespace stlm
