// KeptDraws: TokenDraws in the same memory for one text after another, so that a recorded step which draws can be replayed.
#pragma once

#include <memory>

#include <stlm/infer/token_draws.hpp>

namespace stlm::detail {

template <class Backend>
class KeptDraws {
 public:
  /// Draws of no text yet. Calls `others()` unless they draw by the rules of the last call from the memory of the last call.
  template <TokenRule Rule, class Others>
  TokenDraws<Backend, Rule>& begin(Context<Backend>& ctx, Index most, Index vocabulary, const SampleOptions& options,
                                   const Others& others) {
    using Draws = TokenDraws<Backend, Rule>;
    if (rule_ != &name_of<Rule>) {
      draws_ = std::make_shared<Draws>(ctx, most, vocabulary, options);
      rule_ = &name_of<Rule>;
      others();
    } else if (!static_cast<Draws*>(draws_.get())->begin_anew(options)) {
      others();
    }
    return *static_cast<Draws*>(draws_.get());
  }

 private:
  template <class Rule>
  static constexpr char name_of = 0;  // its address stands for the type

  std::shared_ptr<void> draws_;  // TokenDraws of the rule
  const void* rule_ = nullptr;
};

}  // namespace stlm::detail
