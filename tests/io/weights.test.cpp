#include <stlm/io/weights.hpp>

#include <numeric>

#include "support/catch.hpp"
#include "temporary_folder.hpp"

using stlm::FileError;
using stlm::Index;
using stlm::Parameters;
using stlm::ParameterSpec;
using stlm::Path;
using stlm::SafetensorsFile;
using stlm::SafetensorsWriter;

namespace {

struct WeightsBackend {
  using memory_space = stlm::HostSpace;
};

/// Two layers of a matrix and a bias, then a scale. Rows and columns do not fill cache lines.
template <Index In, Index Out>
struct TinyModel {
  template <class T>
  struct Params {
    struct {
      stlm::View<T, Out, In> weight;
      stlm::View<T, Out> bias;
    } layers[2];
    stlm::View<T> scale;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    const Path layers = path / "layers";
    for (Index i = 0; i < 2; ++i) {
      const Path layer = layers / i;
      v(layer / "weight", p.layers[i].weight, ParameterSpec::matrix(In));
      v(layer / "bias", p.layers[i].bias, ParameterSpec::bias(In));
    }
    v(path / "scale", p.scale, ParameterSpec::ones());
  }
};

}  // namespace

template <>
class stlm::Context<WeightsBackend> {};

namespace {

using Model = TinyModel<3, 5>;
template <class T = float, class M = Model>
using Weights = Parameters<M, WeightsBackend, T>;

/// Fills the tensors, one after another, with start, start + 1, ...
template <class M, class T>
void count_up(Weights<T, M>& params, T start) {
  params.for_each([&](const Path&, auto& view, const ParameterSpec&) {
    std::iota(view.begin(), view.end(), start);
    start += static_cast<T>(view.size());
  });
}

template <class P>
std::vector<std::remove_cvref_t<decltype(*std::declval<P>().flat().data())>> numbers(const P& params) {
  return {params.flat().begin(), params.flat().end()};
}

/// Writes the tensors of a `Model` by hand, so that each can be left out or altered.
struct Handmade {
  std::vector<float> values = std::vector<float>(100, 7.0f);
  SafetensorsWriter writer;
  void add(const char* name, std::vector<Index> shape) {
    const Index size = std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies{});
    writer.add(name, stlm::Dtype::kF32, std::move(shape),
               std::as_bytes(std::span(values).first(static_cast<std::size_t>(size))));
  }
  void add_all_but(std::string_view left_out) {
    for (const std::string layer : {"layers.0.", "layers.1."}) {
      if (layer + "weight" != left_out) add((layer + "weight").c_str(), {5, 3});
      if (layer + "bias" != left_out) add((layer + "bias").c_str(), {5});
    }
    if (left_out != "scale") add("scale", {});
  }
  void add_double(const char* name, Index size) {
    writer.add(name, stlm::Dtype::kF64, {size},
               std::as_bytes(std::span(values).first(static_cast<std::size_t>(2 * size))));
  }
};

}  // namespace

TEMPLATE_TEST_CASE("save, load: every number comes back", "[io][weights]", float, double) {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<TestType> params(ctx), loaded(ctx);
  count_up(params, TestType(0.25));
  stlm::save(params, folder / "a", {{"format", "pt"}});
  CHECK(folder.names() == std::vector<std::string>{"a"});

  count_up(loaded, TestType(-100));
  stlm::load(loaded, folder / "a");
  CHECK(numbers(loaded) == numbers(params));  // the padding between tensors included: it is still zero

  const SafetensorsFile file(folder / "a");
  CHECK(file.metadata("format") == "pt");
  REQUIRE(file.tensors().size() == 5);
  const std::string dtype = sizeof(TestType) == 4 ? "F32" : "F64";
  CHECK(file.tensor("layers.0.bias").type() == dtype + " [5]");
  CHECK(file.tensor("layers.1.weight").type() == dtype + " [5, 3]");
  CHECK(file.tensor("scale").type() == dtype + " []");
}

TEST_CASE("save: weights lie in the file as PyTorch has them, (out, in) row by row", "[io][weights]") {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<> params(ctx);
  count_up(params, 0.0f);
  stlm::save(params, folder / "a");
  const SafetensorsFile file(folder / "a");
  const auto bytes = file.tensor("layers.1.weight").bytes;
  for (Index out = 0; out < 5; ++out)
    for (Index in = 0; in < 3; ++in) {
      float value = -1;
      std::memcpy(&value, bytes.data() + (out * 3 + in) * 4, 4);
      CHECK(value == params.tree().layers[1].weight(out, in));
      CHECK(value == 20.0f + static_cast<float>(out * 3 + in));
    }
}

TEST_CASE("load: a file of another model is refused and changes nothing", "[io][weights]") {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<> params(ctx);
  count_up(params, 1.0f);
  const auto before = numbers(params);

  Handmade file;
  std::string expected;
  SECTION("a tensor is missing") {
    file.add_all_but("layers.1.bias");
    expected = "\"layers.1.bias\": expected F32 [5], found no tensor of that name";
  }
  SECTION("a tensor too many") {
    file.add_all_but("");
    file.add("layers.2.bias", {5});
    expected = "\"layers.2.bias\": expected only the 5 tensors of the model, found this one of F32 [5]";
  }
  SECTION("a shape of another size") {
    file.add_all_but("layers.1.bias");
    file.add("layers.1.bias", {6});
    expected = "\"layers.1.bias\": expected the shape of F32 [5], found F32 [6]";
  }
  SECTION("a transposed shape") {
    file.add_all_but("layers.1.weight");
    file.add("layers.1.weight", {3, 5});
    expected = "\"layers.1.weight\": expected the shape of F32 [5, 3], found F32 [3, 5]";
  }
  SECTION("a shape of another rank") {
    file.add_all_but("scale");
    file.add("scale", {1});
    expected = "\"scale\": expected the shape of F32 [], found F32 [1]";
  }
  SECTION("another dtype") {
    file.add_all_but("layers.1.bias");
    file.add_double("layers.1.bias", 5);
    expected = "\"layers.1.bias\": expected the dtype of F32 [5], found F64 [5]";
  }
  file.writer.write(folder / "a");
  CHECK(error_of<FileError>([&] { stlm::load(params, folder / "a"); }) ==
        "stlm::load: \"" + (folder / "a") + "\": tensor " + expected +
            "; load the file into a model of the type that saved it.");
  CHECK(numbers(params) == before);
}

TEST_CASE("load: a checkpoint is named as such", "[io][weights]") {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<> params(ctx);
  SafetensorsWriter writer;
  stlm::add_tensors(writer, params, "model.");
  writer.write(folder / "a");
  CHECK(error_of<FileError>([&] { stlm::load(params, folder / "a"); }).find("found \"model.layers.0.weight\": if this is a "
                                                                            "checkpoint, use load_checkpoint") != std::string::npos);
}

TEST_CASE("load: float and double files are not mixed up", "[io][weights]") {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<float> single(ctx);
  Weights<double> twice(ctx);
  stlm::save(single, folder / "single");
  stlm::save(twice, folder / "double");
  CHECK_THROWS_AS(stlm::load(single, folder / "double"), FileError);
  CHECK_THROWS_AS(stlm::load(twice, folder / "single"), FileError);
}

TEST_CASE("load: a truncated file is refused and changes nothing", "[io][weights]") {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<> params(ctx);
  stlm::save(params, folder / "a");
  const std::string whole = read_text(folder / "a");
  count_up(params, 1.0f);
  const auto before = numbers(params);
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() - 4, whole.size() - 1}) {
    write_text(folder / "b", whole.substr(0, size));
    CHECK_THROWS_AS(stlm::load(params, folder / "b"), FileError);
  }
  CHECK_THROWS_AS(stlm::load(params, folder / "none"), FileError);
  CHECK(numbers(params) == before);
}

TEST_CASE("add_tensors, load: several sets in one checkpoint, each under its prefix", "[io][weights]") {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<> params(ctx), moments(ctx), params2(ctx), moments2(ctx);
  Weights<float, TinyModel<2, 2>> other(ctx);
  count_up(params, 1.0f);
  count_up(moments, 1000.0f);
  SafetensorsWriter writer;
  writer.set_metadata({{"step", "17"}});
  stlm::add_tensors(writer, params, "model.");
  stlm::add_tensors(writer, moments, "optimizer.m.");
  CHECK_THROWS_AS(stlm::add_tensors(writer, moments, "model."), FileError);
  writer.write(folder / "a");

  const SafetensorsFile file(folder / "a");
  CHECK(file.metadata("step") == "17");
  CHECK(file.tensors().size() == 10);
  stlm::check_fits(params2, file, "model.");
  CHECK(numbers(params2) != numbers(params));
  stlm::load(params2, file, "model.");
  stlm::load(moments2, file, "optimizer.m.");
  CHECK(numbers(params2) == numbers(params));
  CHECK(numbers(moments2) == numbers(moments));

  CHECK_THROWS_AS(stlm::check_fits(other, file, "model."), FileError);
  CHECK_THROWS_AS(stlm::load(other, file, "optimizer.m."), FileError);
  CHECK_THROWS_AS(stlm::load(params2, file), FileError);  // without a prefix: the file is no plain file of weights
  CHECK(error_of<FileError>([&] { stlm::load(params2, file, "optimizer.v."); }) ==
        "stlm::load: \"" + (folder / "a") +
            "\": tensor \"optimizer.v.layers.0.weight\": expected F32 [5, 3], found no "
            "tensor of that name; load the file into a model of the type that saved it.");
}

TEST_CASE("save: the same weights give the same bytes, and a failure keeps the old file", "[io][weights]") {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<> params(ctx);
  count_up(params, 3.0f);
  stlm::save(params, folder / "a", {{"b", "2"}, {"a", "1"}});
  stlm::save(params, folder / "b", {{"a", "1"}, {"b", "2"}});
  const std::string bytes = read_text(folder / "a");
  CHECK(read_text(folder / "b") == bytes);
  CHECK_THROWS_AS(stlm::save(params, folder / "a", {{"bad", "\xff"}}), FileError);
  CHECK_THROWS_AS(stlm::save(params, folder / "none/a"), FileError);
  CHECK(read_text(folder / "a") == bytes);
}

TEST_CASE("save, load: over the file that is open", "[io][weights]") {
  const TemporaryFolder folder;
  stlm::Context<WeightsBackend> ctx;
  Weights<> params(ctx);
  count_up(params, 1.0f);
  const auto first = numbers(params);
  stlm::save(params, folder / "a");
  const SafetensorsFile file(folder / "a");
  count_up(params, 50.0f);
  stlm::save(params, folder / "a");
  stlm::load(params, file);
  CHECK(numbers(params) == first);
}
