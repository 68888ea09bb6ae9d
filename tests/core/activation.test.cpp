#include <stlm/core/activation.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

/// Kept: 3 and 17 floats a row. Temporary: 16 floats a row; then 32, 64 and 1, which share memory.
struct Model {
  template <class T>
  struct Cache {
    View<T, dynamic, 3> narrow;
    View<T, dynamic, 17> wide;
    View<T, dynamic, 16> scratch;
    View<T, dynamic, 32> one;
    View<T, dynamic, 64> other;
    View<T, dynamic> after;
  };
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.narrow, pass.rows());
    arena.temp(cache.scratch, pass.rows());
    arena.overlay([&] { arena.temp(cache.one, pass.rows()); }, [&] { arena.temp(cache.other, pass.rows()); });
    arena.temp(cache.after, pass.rows());
    arena.keep(cache.wide, pass.rows());
  }
};

/// Kept: 4 floats a patch and 16 a byte read. Temporary: 32 a byte predicted.
struct Patches {
  template <class T>
  struct Cache {
    View<T, dynamic, 4> patches;
    View<T, dynamic, 16> read;
    View<T, dynamic, 32> predicted;
  };
  static constexpr Pass largest_pass(BatchShape shape) {
    Pass pass{shape.batch, shape.tokens};
    pass.bytes_read = pass.bytes_predicted = shape.bytes;
    return pass;
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.patches, pass.rows());
    arena.keep(cache.read, pass.pack(pass.rows(), 4, pass.bytes_read, {}).rows());
    arena.temp(cache.predicted, pass.pack(pass.rows(), 4, pass.bytes_predicted, {}).rows());
  }
};

using B = ReferenceBackend;

}  // namespace

// 2 x 3 rows, in lines of 64 bytes: kept are 18 and 102 floats; temporary are 96 of scratch and 384 of the larger overlay.
static_assert(activation_bytes<Model>({2, 3}) == 128 + 448 + 384 + 1536);
static_assert(activation_bytes<Model, double>({2, 3}) == 192 + 832 + 768 + 3072);
// 24 floats in two lines; ten bytes are read and ten predicted.
static_assert(activation_bytes<Patches>({2, 3, 10}) == 128 + 640 + 1280);

TEST_CASE("Activations: kept views apart, temporaries overlaid, all within the constant", "[core][activation]") {
  Context<B> ctx;
  const Activations<Model, B> acts(ctx, {2, 3});
  const auto& c = acts.cache();
  const auto at = [&](const auto& view) {
    return reinterpret_cast<const std::byte*>(view.data()) - reinterpret_cast<const std::byte*>(c.narrow.data());
  };
  CHECK(at(c.wide) == 128);
  CHECK(at(c.scratch) == 128 + 448);
  CHECK(at(c.one) == 128 + 448 + 384);
  CHECK(at(c.other) == at(c.one));
  CHECK(at(c.after) == at(c.one));
  CHECK(at(c.other) + c.other.size() * 4 == static_cast<Index>(activation_bytes<Model>({2, 3})));
  CHECK(c.wide.extent(0) == 6);
  CHECK(reinterpret_cast<std::uintptr_t>(c.narrow.data()) % 64 == 0);
  CHECK(acts.pass().rows() == 6);
}

TEST_CASE("Activations: a batch has at least one token", "[core][activation]") {
  Context<B> ctx;
  using Acts = Activations<Model, B>;
  CHECK_THROWS_AS(Acts(ctx, {2, 0}), ShapeError);
  CHECK_THROWS_WITH(Acts(ctx, {0, 3}), "stlm::Activations: expected batch >= 1 and tokens >= 1, found 0 and 3; give both.");
  CHECK_THROWS_AS(Acts(ctx, {Index{1} << 30, Index{1} << 33}), ShapeError);  // more bytes than an Index can count
}

TEST_CASE("Activations: the memory is laid out for as many bytes as a batch has", "[core][activation]") {
  Context<B> ctx;
  Activations<Patches, B> acts(ctx, {2, 3, 10});
  const auto& c = acts.cache();
  const auto* const begin = reinterpret_cast<const std::byte*>(c.patches.data());
  const auto check = [&](Index read, Index predicted) {
    CAPTURE(read, predicted);
    acts.fit(read, predicted);
    CHECK(acts.pass().bytes_read == read);
    CHECK(acts.pass().bytes_predicted == predicted);
    CHECK(reinterpret_cast<const std::byte*>(c.patches.data()) == begin);
    CHECK(c.patches.extent(0) == 6);
    CHECK(c.read.extent(0) == read);
    CHECK(c.predicted.extent(0) == predicted);
    CHECK(reinterpret_cast<const std::byte*>(c.read.data()) - begin == 128);
    CHECK(reinterpret_cast<const std::byte*>(c.predicted.data()) - begin == 128 + 64 * read);
  };
  check(10, 10);
  check(3, 7);
  check(0, 0);
  check(10, 1);
  check(2, 10);
  for (const auto& [read, predicted] : {std::pair<Index, Index>{11, 2}, {2, 11}}) {
    CAPTURE(read, predicted);
    CHECK_THROWS_AS(acts.fit(read, predicted), ShapeError);
    CHECK(acts.pass().bytes_read == 2);  // unchanged
    CHECK(c.predicted.extent(0) == 10);
  }
}
