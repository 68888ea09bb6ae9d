// Several numbers at once, kept in registers, loaded and stored in packets where rows allow it.
#pragma once

#include <utility>

#include <stlm/backend/cuda/gpu_backend.hpp>

namespace stlm::gpu {

/// Calls f(constant<0>), ..., f(constant<N - 1>), always unrolled: for arrays that must stay in registers.
template <int N, class F>
STLM_KERNEL void unroll(const F& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (f(Constant<I>{}), ...); }(std::make_integer_sequence<int, N>{});
}

/// Calls f(first column) for each packet of W columns that lane `lane` has; neighbouring lanes have neighbouring packets.
template <int W, int Lanes = warp, class F>
STLM_KERNEL void for_packets(int lane, int cols, const F& f) {
  for (int c = lane * W; c < cols; c += Lanes * W) f(c);
}
/// W numbers at once: one, or those of whole packets.
template <class T, int W>
struct Numbers {
  T value[static_cast<std::size_t>(W > 0 ? W : 1)];
  STLM_KERNEL T& operator[](int j) { return value[j]; }
  STLM_KERNEL const T& operator[](int j) const { return value[j]; }
};
/// Memory holds numbers as T, registers as compute_t<T>: Bfloat16 is rounded when it is stored.
template <class T>
using loaded_t = compute_t<std::remove_const_t<T>>;

template <class Exec, class T>
STLM_KERNEL loaded_t<T> load_number(Exec& e, Span<T> from, Index i) {
  return static_cast<loaded_t<T>>(e.load(from, i));
}
template <class Exec, class T>
STLM_KERNEL void store_number(Exec& e, Span<T> to, Index i, loaded_t<T> number) {
  e.store(to, i, static_cast<T>(number));
}
/// The numbers of a packet in the type that kernels compute in.
template <class T>
STLM_KERNEL auto unpacked(const Packet<T>& packet) {
  Numbers<loaded_t<T>, Packet<T>::size> numbers;
  unroll<Packet<T>::size>([&](int j) { numbers[j] = static_cast<loaded_t<T>>(packet[j]); });
  return numbers;
}
/// One number, or a packet in its stored type, which takes fewer registers than numbers of the compute type.
template <int W, class T>
using AsStored = std::conditional_t<W == 1, Numbers<loaded_t<T>, 1>, Packet<std::remove_const_t<T>>>;
template <int W, class Exec, class T>
STLM_KERNEL AsStored<W, T> load_as_stored(Exec& e, Span<T> from, Index i) {
  if constexpr (W == 1)
    return {{load_number(e, from, i)}};
  else
    return e.load_packet(from, i);
}
template <class T>
STLM_KERNEL Numbers<T, 1> unpacked(const Numbers<T, 1>& number) {
  return number;
}
/// Loads one number, or W numbers that make whole packets.
template <int W, class Exec, class T>
STLM_KERNEL auto load_numbers(Exec& e, Span<T> from, Index i) {
  using Loaded = Packet<std::remove_const_t<T>>;
  Numbers<loaded_t<T>, W> numbers;
  if constexpr (W == 1) {
    numbers[0] = load_number(e, from, i);
  } else {
    static_assert(W % Loaded::size == 0);
    unroll<W / Loaded::size>([&](int p) {
      const Loaded packet = e.load_packet(from, i + p * Loaded::size);
      unroll<Loaded::size>([&](int j) { numbers[p * Loaded::size + j] = static_cast<loaded_t<T>>(packet[j]); });
    });
  }
  return numbers;
}
template <int W, class Exec, class T>
STLM_KERNEL void store_numbers(Exec& e, Span<T> to, Index i, const Numbers<loaded_t<T>, W>& numbers) {
  if constexpr (W == 1) {
    store_number(e, to, i, numbers[0]);
  } else {
    static_assert(W % Packet<T>::size == 0);
    unroll<W / Packet<T>::size>([&](int p) {
      Packet<T> packet;
      unroll<Packet<T>::size>([&](int j) { packet[j] = static_cast<T>(numbers[p * Packet<T>::size + j]); });
      e.store_packet(to, i + p * Packet<T>::size, packet);
    });
  }
}
/// Calls f(constant<W>, i) if numbers i, ..., i + W - 1 all lie before `end`, else f(constant<1>, i) for each that does.
template <int W, class F>
STLM_KERNEL void for_numbers(Index i, Index end, const F& f) {
  if (i + W <= end)
    f(constant<W>, i);
  else
    for (; i < end; ++i) f(constant<1>, i);
}
/// Load and store only the numbers before `end`; those from `end` on are not touched, and load as zero.
template <int W, class Exec, class T>
STLM_KERNEL auto load_numbers(Exec& e, Span<T> from, Index i, Index end) {
  if (i + W <= end) return load_numbers<W>(e, from, i);
  Numbers<loaded_t<T>, W> numbers{};
  unroll<W>([&](int j) {
    if (i + j < end) numbers[j] = load_number(e, from, i + j);
  });
  return numbers;
}
template <int W, class Exec, class T>
STLM_KERNEL void store_numbers(Exec& e, Span<T> to, Index i, Index end, const Numbers<loaded_t<T>, W>& numbers) {
  if (i + W <= end) return store_numbers<W>(e, to, i, numbers);
  unroll<W>([&](int j) {
    if (i + j < end) store_number(e, to, i + j, numbers[j]);
  });
}

}  // namespace stlm::gpu
