// LaunchTrace: the launches of a recorded step, to check that later runs launch the same. A graph keeps the arguments that its
// kernels had when it was recorded: a step that passes other arguments would be replayed wrongly.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <stlm/core/config.hpp>
#include <stlm/core/error.hpp>

namespace stlm::gpu {

class LaunchTrace {
 public:
#if defined(__GNUC__) && !defined(__clang__)
  static constexpr bool exact = true;  ///< arguments are compared, not only names and blocks
#else
  static constexpr bool exact = false;  // padding bytes of a kernel are not cleared here, and may differ
#endif

  void begin() {
    next_ = 0;
    if (!recorded_) launches_.clear();  // those of a recording that threw
  }
  /// Throws Error if there were fewer launches than recorded.
  void end() {
    expect<Error>(!recorded_ || next_ == launches_.size(), "stlm::Recorded: a recorded step launches ", next_,
                  " kernels, ", launches_.size(), " when it was recorded", advice);
    recorded_ = true;
  }

  /// Adds the next launch. Throws Error if the recording has another launch in its place, or other arguments.
  template <class Arguments>
  void add(const char* name, Arguments arguments, Index blocks) {
    static_assert(std::is_trivially_copyable_v<Arguments>);
    clear_padding(arguments);
    Launch launch{name, blocks, std::string(sizeof arguments, '\0')};
    std::memcpy(launch.arguments.data(), static_cast<const void*>(&arguments), sizeof arguments);
    if (!recorded_) return launches_.push_back(std::move(launch));
    expect<Error>(next_ < launches_.size(), "stlm::Recorded: a recorded step launches more kernels than when it was recorded, ",
                  name, advice);
    const Launch& before = launches_[next_++];
    expect<Error>(before.name == launch.name && before.blocks == blocks && (!exact || before.arguments == launch.arguments),
                  "stlm::Recorded: launch ", next_, " of a recorded step is ", name, " with ", blocks, " blocks, recorded was ",
                  before.name, " with ", before.blocks, before.name == launch.name ? " and other arguments" : "", advice);
  }

 private:
  struct Launch {
    std::string name;
    Index blocks;
    std::string arguments;
  };
  static constexpr const char* advice = "; it may depend on nothing but its shape and the memory of the device.";

  template <class T>
  static void clear_padding([[maybe_unused]] T& value) {
#if defined(__GNUC__) && !defined(__clang__)
    __builtin_clear_padding(&value);
#endif
  }

  std::vector<Launch> launches_;
  std::size_t next_ = 0;
  bool recorded_ = false;
};

}  // namespace stlm::gpu
