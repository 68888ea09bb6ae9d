#include <stlm/ops/embedding.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("embedding: rows of the table; gradients add up in them", "[ops][embedding]") {
  Rig<ReferenceBackend, double> rig;
  const auto table = rig.random(3, 2), y = rig.blank(4, 2), dtable = rig.random(3, 2);
  const std::vector<Token> tokens = {2, 0, 2, 2};
  ops::embedding_forward(rig.ctx, table, one_row(tokens), y);
  CHECK(y(0, 1) == table(2, 1));
  CHECK(y(1, 0) == table(0, 0));
  const double before = dtable(2, 0), untouched = dtable(1, 0);
  ops::embedding_backward(rig.ctx, one_row(tokens), y, dtable);
  CHECK(dtable(2, 0) == before + y(0, 0) + y(2, 0) + y(3, 0));
  CHECK(dtable(1, 0) == untouched);
}

TEST_CASE("embedding: backends agree", "[ops][embedding][parity]") {
  for (const Index vocabulary : {1, 2, 11, 999})  // from one token in all rows to mostly distinct tokens
    for (const Index rows : {0, 1, 7, 32, 300})
      for (const Index cols : {1, 8, 33, 100, 264}) {
        CAPTURE(vocabulary, rows, cols);
        const std::vector<Token> tokens = some_tokens(rows, vocabulary, {4, 4});
        check_stream_op([&](auto& rig) {
          const auto table = rig.random(vocabulary, cols), y = rig.blank(rows, cols);
          const auto dtable = rig.weights(vocabulary, cols);
          ops::embedding_forward(rig.ctx, table, one_row(tokens), y);
          ops::embedding_backward(rig.ctx, one_row(tokens), y, dtable);
        });
      }
}

TEST_CASE("embedding: gradients of so many rows that a GPU cuts them otherwise", "[ops][embedding][parity]") {
  const Index rows = 8200;
  const std::vector<Token> tokens = some_tokens(rows, 5, {4, 4});
  check_stream_op([&](auto& rig) { ops::embedding_backward(rig.ctx, one_row(tokens), rig.random(rows, 8), rig.weights(5, 8)); });
}

TEST_CASE("embedding: gradients of rows that were gathered from activations", "[ops][embedding][parity]") {
  for (const Index cols : {3, 72}) {
    const std::vector<Token> tokens = some_tokens(100, 300, {4, 4});
    check_stream_op([&](auto& rig) {
      ops::embedding_backward(rig.ctx, one_row(tokens), rig.random(100, cols), rig.random(300, cols));
    });
  }
}

TEST_CASE("embedding: backends agree on a table of Bfloat16", "[ops][embedding][parity]") {
  for (const Index cols : {3, 4, 72}) {
    const std::vector<Token> tokens = some_tokens(50, 9, {4, 4});
    check_op([&](auto& rig) {
      const auto numbers = rig.weights(9, cols);
      const auto y = rig.blank(50, cols);
      const auto table = rig.template room<Bfloat16>(numbers.size());
      std::transform(numbers.begin(), numbers.end(), table.data(), [](auto x) { return Bfloat16(static_cast<float>(x)); });
      ops::embedding_forward(rig.ctx, View<const Bfloat16, dynamic, dynamic>(table.data(), 9, cols), one_row(tokens), y);
    });
  }
}

TEST_CASE("positions: backends agree, from any first position", "[ops][embedding][parity]") {
  for (const Index tokens : {1, 7, 65})
    for (const Index cols : {4, 33, 160})
      for (const Index position : {0, 3}) {
        CAPTURE(tokens, cols, position);
        check_stream_op([=](auto& rig) {
          const auto table = rig.weights(70, cols), dtable = rig.weights(70, cols);
          const auto y = rig.random(3 * tokens, cols);
          ops::add_positions(rig.ctx, table, tokens, {nullptr, position}, y);
          ops::add_sinusoids(rig.ctx, tokens, {nullptr, position}, y);
          ops::add_positions_backward(rig.ctx, y, tokens, dtable);
        });
      }
}

TEST_CASE("positions: backends agree on sequences at places of their own", "[ops][embedding][parity]") {
  const Place places[] = {{2, 5}, {0, 0}, {1, 60}};
  for (const Index tokens : {1, 7})
    for (const Index cols : {4, 33}) {
      CAPTURE(tokens, cols);
      check_op([&](auto& rig) {
        const auto table = rig.random(70, cols), y = rig.random(3 * tokens, cols);
        ops::add_positions(rig.ctx, table, tokens, {places}, y);
        ops::add_sinusoids(rig.ctx, tokens, {places}, y);
      });
    }
  Rig<CpuBackend, float> rig;
  CHECK_THROWS_AS(ops::add_positions(rig.ctx, rig.random(66, 4), 7, {places}, rig.random(21, 4)), ShapeError);
}

TEST_CASE("positions: backends agree on packed sequences", "[ops][embedding][parity]") {
  for (const Index count : {1, 5, 300})
    for (const Index most : {1, 12, 40})
      for (const Index cols : {3, 136}) {
        CAPTURE(count, most, cols);
        std::vector<Index> offsets = {0};
        for (const Token length : some_tokens(count, most + 1, {5, 5})) offsets.push_back(offsets.back() + length);
        check_stream_op([&](auto& rig) {
          const Offsets packed{rig.copy(offsets), offsets.back()};
          const auto table = rig.weights(most, cols), dtable = rig.weights(most, cols);
          const auto y = rig.random(packed.rows, cols);
          ops::add_positions(rig.ctx, table, most, {}, y, packed);
          ops::add_positions_backward(rig.ctx, y, most, dtable, packed);
        });
      }
}

TEST_CASE("positions: the same row for the same place in every sequence", "[ops][embedding]") {
  Rig<CpuBackend, double> rig;
  const auto table = rig.random(5, 4), y = rig.random(6, 4), sines = rig.random(6, 4);
  std::fill(y.begin(), y.end(), 0);
  std::fill(sines.begin(), sines.end(), 0);
  ops::add_positions(rig.ctx, table, 3, {nullptr, 2}, y);
  ops::add_sinusoids(rig.ctx, 3, {nullptr, 2}, sines);
  for (Index n = 0; n < 6; ++n)
    for (Index c = 0; c < 4; ++c) {
      CHECK(y(n, c) == table(2 + n % 3, c));
      const double angle = static_cast<double>(2 + n % 3) * (c < 2 ? 1 : 0.01);  // 10000^(-2/4)
      CHECK(sines(n, c) == Approx(c % 2 == 0 ? std::sin(angle) : std::cos(angle)).epsilon(1e-14));
    }
}

TEMPLATE_TEST_CASE("embedding: ids outside the table and positions past its end are named", "[ops][embedding]",
                   ReferenceBackend, TestedBackend) {
  Rig<TestType, float> rig;
  const auto table = rig.random(3, 2), y = rig.blank(2, 2);
  for (const Token wrong : {-1, 3}) {
    const std::vector<Token> tokens = {0, wrong};
    CHECK_THROWS_WITH(ops::embedding_forward(rig.ctx, table, one_row(tokens), y),
                      "stlm::ops::embedding_forward: token 1 is " + std::to_string(wrong) +
                          ", expected an id in [0, 3); check the tokenizer against the model's vocabulary.");
  }
  const std::vector<Token> three = {0, 1, 2};
  CHECK_THROWS_AS(ops::embedding_forward(rig.ctx, table, one_row(three), y), ShapeError);
  CHECK_THROWS_AS(ops::embedding_backward(rig.ctx, one_row(three), y, table), ShapeError);
  CHECK_THROWS_WITH(ops::add_positions(rig.ctx, table, 2, {nullptr, 2}, y),
                    "stlm::ops::add_positions: the table has 3 positions, 4 are needed; enlarge max_tokens or shorten the "
                    "sequence.");
  CHECK_THROWS_WITH(ops::add_positions(rig.ctx, table, 3, {}, y),
                    "stlm::ops::add_positions: 2 rows are no sequences of 3 tokens; give whole sequences, or offsets.");
  CHECK_THROWS_AS(ops::add_positions_backward(rig.ctx, y, 3, table), ShapeError);
  CHECK_THROWS_WITH(ops::add_positions(rig.ctx, table, 2, {}, rig.blank(2, 3)),
                    "stlm::ops::add_positions: a table of width 2 and rows of 3; give them one width.");
  CHECK_THROWS_AS(ops::add_positions(rig.ctx, table, 2, {nullptr, -1}, y), ShapeError);
  CHECK_THROWS_AS(ops::add_positions_backward(rig.ctx, rig.blank(2, 3), 2, table), ShapeError);
  CHECK_THROWS_AS(ops::add_positions_backward(rig.ctx, rig.blank(4, 2), 4, table), ShapeError);
  CHECK_THROWS_AS(ops::add_sinusoids(rig.ctx, 3, {}, y), ShapeError);
}

TEMPLATE_TEST_CASE("embedding: packed sequences that do not fit the table or the rows are named", "[ops][embedding]",
                   ReferenceBackend, CpuBackend) {
  Rig<TestType, float> rig;
  const auto table = rig.random(5, 4), y = rig.random(8, 4);
  for (const std::vector<Index>& offsets : {std::vector<Index>{0, 8}, {0, 5, 3, 8}, {0, 4}, {0, 4, 9}, {1, 4, 8}}) {
    const Offsets packed{{offsets.data(), std::ssize(offsets)}, 8};
    CHECK_THROWS_AS(ops::add_positions(rig.ctx, table, 5, {}, y, packed), ShapeError);
    CHECK_THROWS_AS(ops::add_positions_backward(rig.ctx, y, 5, table, packed), ShapeError);
  }
  const std::vector<Index> offsets = {0, 5, 9};
  const Offsets more{{offsets.data(), 3}, 9};
  CHECK_THROWS_WITH(ops::add_positions(rig.ctx, table, 5, {}, y, more),
                    "stlm::ops::add_positions: expected offsets of 8 rows, found those of 9; give offsets of all rows.");
  CHECK_THROWS_AS(ops::add_positions_backward(rig.ctx, y, 5, table, more), ShapeError);
}

TEST_CASE("positions: packed sequences stand at no places", "[ops][embedding]") {
  Rig<CpuBackend, float> rig;
  const std::vector<Index> offsets = {0, 3};
  const Place place{0, 0};
  CHECK_THROWS_WITH(ops::add_positions(rig.ctx, rig.random(5, 4), 3, {&place}, rig.random(3, 4), {{offsets.data(), 2}, 3}),
                    "stlm::ops::add_positions: packed sequences at places of their own are not supported; give places or "
                    "offsets.");
}
