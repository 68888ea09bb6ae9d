// Replanned<M>: memory in which the cache of M is laid out again for each pass, for shapes up to the one planned for.
//
// Laying out views only adds up their sizes, so a module whose number of rows changes from batch to batch can compute exactly
// the rows of each batch. The memory has one slot for each sequence of the planned pass, all of equal size; n sequences no
// longer than planned fit in n slots. Parts of a batch whose caches must all live until backward take consecutive slots.
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

  /// Calls f(arena), which lays out the memory from slot `first` on. Throws ShapeError if it needs more than there is.
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

  /// The cache of M for `pass`, from slot `first` on. The same arguments always give the same views.
  template <class T>
  static typename M::template Cache<T> at(const Cache<T>& memory, const Pass& pass, Index first = 0) {
    typename M::template Cache<T> cache{};
    lay_out(memory, first, [&](Arena& arena) { M::plan(arena, cache, pass); });
    return cache;
  }
};

}  // namespace stlm
