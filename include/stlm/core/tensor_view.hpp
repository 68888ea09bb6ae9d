// TensorView: a pointer and a shape. Non-owning, row-major, contiguous; cheap to copy.
//
//   View<const float, dynamic, 256> x(data, n);    // n x 256
//   x(3, 7), x.extent(0), x.size()
//
// Views convert to each other if no fixed sizes differ. A difference between fixed sizes is a compile error of one sentence; a
// run-time size that differs from a fixed one throws ShapeError.
#pragma once

#include <type_traits>
#include <utility>

#include <stlm/core/error.hpp>
#include <stlm/core/extents.hpp>

namespace stlm {

template <class T, class Shape>
class TensorView {
 public:
  using value_type = std::remove_const_t<T>;
  static constexpr int rank = Shape::rank;

  constexpr TensorView() = default;
  STLM_HOST_DEVICE constexpr TensorView(T* data, Shape extents) : data_(data), extents_(extents) {}

  /// A pointer, then one argument for each dynamic dimension.
  template <class... Dims>
    requires(sizeof...(Dims) == Shape::num_dynamic && (std::is_convertible_v<Dims, Index> && ...))
  STLM_HOST_DEVICE constexpr explicit(sizeof...(Dims) == 0) TensorView(T* data, Dims... dims)
      : data_(data), extents_(dims...) {}

  /// From a view of other extents (or of non-const T). Throws ShapeError when a run-time size differs from a fixed one.
  template <class U, class Other>
    requires(std::is_convertible_v<U (*)[], T (*)[]> && !(std::is_same_v<U, T> && std::is_same_v<Other, Shape>))
  constexpr TensorView(const TensorView<U, Other>& other) : data_(other.data()), extents_(convert(other.extents())) {}

  STLM_HOST_DEVICE constexpr T* data() const { return data_; }
  constexpr const Shape& extents() const { return extents_; }
  STLM_HOST_DEVICE constexpr Index extent(int dim) const { return extents_.extent(dim); }
  STLM_HOST_DEVICE constexpr Index size() const { return extents_.size(); }
  constexpr explicit operator bool() const { return data_ != nullptr; }

  template <class... Indices>
    requires(sizeof...(Indices) == rank)
  STLM_HOST_DEVICE constexpr T& operator()(Indices... indices) const {
    Index offset = 0;
    int dim = 0;
    ((offset = offset * extents_.extent(dim++) + static_cast<Index>(indices)), ...);
    return data_[offset];
  }

  STLM_HOST_DEVICE constexpr T* begin() const { return data_; }
  STLM_HOST_DEVICE constexpr T* end() const { return data_ + size(); }

 private:
  template <class Other>
  static constexpr Shape convert(const Other& other) {
    static_assert(extents_compatible<Shape, Other>,
                  "stlm::TensorView: wrong inner dimension: the view given and the view expected have fixed sizes that "
                  "differ (both Extents stand in the note beside this error). Make the widths of the two modules equal.");
    Index sizes[static_cast<std::size_t>(rank) + 1] = {};
    int count = 0;
    for (int dim = 0; dim < rank; ++dim) {
      if (Shape::static_extent(dim) == dynamic)
        sizes[count++] = other.extent(dim);
      else
        expect(other.extent(dim) == Shape::static_extent(dim), "stlm::TensorView: dimension ", dim, " is expected to be ",
               Shape::static_extent(dim), ", found ", other.extent(dim), "; give a view of that size.");
    }
    return from_sizes(sizes, std::make_integer_sequence<int, Shape::num_dynamic>{});
  }

  template <int... I>
  static constexpr Shape from_sizes([[maybe_unused]] const Index* sizes, std::integer_sequence<int, I...>) {
    if constexpr (sizeof...(I) == 0)
      return Shape{};
    else
      return Shape{sizes[I]...};
  }

  T* data_ = nullptr;
  Shape extents_;
};

/// `View<float, dynamic, 256>`: short for `TensorView<float, Extents<dynamic, 256>>`.
template <class T, Index... Sizes>
using View = TensorView<T, Extents<Sizes...>>;

/// The first row of each of several packed sequences, and the end of the last, in the backend's memory. `rows` is the number of
/// all rows, for the host, which may be unable to read that memory.
struct Offsets : View<const Index, dynamic> {
  Index rows = 0;
};

/// N rows of width C, as a parameter from which the compiler does not deduce T.
template <class T, Index C>
using Rows = std::type_identity_t<View<T, dynamic, C>>;

/// A matrix whose static shape has been erased: what kernels see. Row r begins at `data + r * stride`.
template <class T>
struct MatrixView {
  using value_type = std::remove_const_t<T>;

  T* data = nullptr;
  Index rows = 0, cols = 0, stride = 0;

  constexpr MatrixView() = default;
  STLM_HOST_DEVICE constexpr MatrixView(T* data_, Index rows_, Index cols_, Index stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}

  /// From a tensor: the last dimension becomes the columns, all others the rows.
  template <class U, class Shape>
    requires std::is_convertible_v<U (*)[], T (*)[]>
  STLM_HOST_DEVICE constexpr MatrixView(const TensorView<U, Shape>& view)
      : data(view.data()), rows(1), cols(view.extent(Shape::rank - 1)), stride(cols) {
    for (int dim = 0; dim + 1 < Shape::rank; ++dim) rows *= view.extent(dim);
  }
  template <class U>
    requires(std::is_convertible_v<U (*)[], T (*)[]> && !std::is_same_v<U, T>)
  STLM_HOST_DEVICE constexpr MatrixView(const MatrixView<U>& other)
      : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

  STLM_HOST_DEVICE constexpr T& operator()(Index row, Index col) const { return data[row * stride + col]; }
  STLM_HOST_DEVICE constexpr T* row(Index r) const { return data + r * stride; }
  STLM_HOST_DEVICE constexpr Index size() const { return rows * cols; }
};

}  // namespace stlm
