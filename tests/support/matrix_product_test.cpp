#include "weft/support/matrix_product.h"

#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("matrix product: extents follow from the operands and how they lie") {
  const MatrixProduct p = MatrixProduct::of({5, 6, 3, 2}, {5, 6, 3, 4}, true, false);
  CHECK(p.batch == 30);
  CHECK(p.m == 2);
  CHECK(p.k == 3);
  CHECK(p.n == 4);
  CHECK(p.flops() == 2.0 * 30 * 2 * 3 * 4);
  CHECK(MatrixProduct::of({2, 3}, {4, 3}, false, true).n == 4);
  CHECK(matrix_transposition(2) == Dims{1, 0});
  CHECK(matrix_transposition(4) == Dims{0, 1, 3, 2});
}

TEST_CASE("matrix product: a result without elements is no product, an empty inner extent is one") {
  CHECK(MatrixProduct::of({7, 0, 3}, {7, 3, 4}, false, false).batch == 0);
  CHECK(MatrixProduct::of({7, 2, 3}, {7, 0, 3}, false, true).batch == 0);
  CHECK(MatrixProduct::of({7, 0, 2, 3}, {7, 0, 3, 4}, false, false).batch == 0);
  CHECK(MatrixProduct::of({7, 2, 0}, {7, 0, 4}, false, false).batch == 7);
  CHECK(MatrixProduct::of({7, 2, 0}, {7, 0, 4}, false, false).flops() == 0);
}
