// Replanned<M>: memory in which the cache of M is laid out anew for each pass, for shapes up to the one planned for.
//
// Laying out views costs no more than adding up their sizes; so a module whose rows change from batch to batch computes
// exactly the rows there are. The memory is cut into as many equal slots as the planned pass has sequences: n sequences,
// none longer than planned, fit n slots, and parts of a batch that keep theirs until backward take slots one after another.
#pragma once

#include <stlm/core/module.hpp>

namespace stlm {

template <class M>
struct Replanned {
  template <class T>
  struct Cache {
    using value_type = T;
    View<std::byte, dynamic> kept, temp;
    Index slot = 0;  // bytes
  };

  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& most) {
    using T = typename C::value_type;
    const Arena all = detail::plan<M, T>(most);
    cache.slot = static_cast<Index>(detail::plan<M, T>({1, most.tokens}).kept_bytes());
    arena.keep(cache.kept, most.batch * cache.slot);
    arena.temp(cache.temp, all.bytes() - all.kept_bytes());
  }

  /// Calls f(arena), which lays out the memory from slot `first` on. Throws ShapeError where that is more than there is.
  template <class T, class F>
  static void lay_out(const Cache<T>& memory, Index first, const F& f) {
    std::byte* const begin = memory.kept.data() + first * memory.slot;
    Arena arena(begin, static_cast<std::size_t>(memory.temp.data() - begin));
    f(arena);
    const auto kept = static_cast<Index>(arena.kept_bytes()), temp = static_cast<Index>(arena.bytes()) - kept;
    const Index room = memory.kept.size() - first * memory.slot;
    expect(kept <= room && temp <= memory.temp.size(), "stlm::Replanned: ", kept, " bytes and ", temp,
           " temporary do not fit the ", room, " and ", memory.temp.size(), " planned; plan for the largest case.");
  }

  /// The cache of M for `pass`, from slot `first` on: the same views whenever the same is asked for.
  template <class T>
  static typename M::template Cache<T> at(const Cache<T>& memory, const Pass& pass, Index first = 0) {
    typename M::template Cache<T> cache{};
    lay_out(memory, first, [&](Arena& arena) { M::plan(arena, cache, pass); });
    return cache;
  }
};

}  // namespace stlm
