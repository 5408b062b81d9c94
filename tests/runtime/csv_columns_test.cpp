// Tables with texts and with values that are missing.

#include "weft/runtime/data/csv.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::TempDir;

namespace {

Table parse(const std::string& content, CsvOptions options) {
  const TempDir dir;
  return read_csv(dir.write("t.csv", content), options);
}

std::string failure(const std::string& content, CsvOptions options) {
  try {
    parse(content, options);
  } catch (const Error& e) {
    const std::string text = e.what();
    const size_t at = text.find("t.csv");
    return at == std::string::npos ? text : text.substr(at + 5);
  }
  return "read";
}

using Column = std::vector<double>;
using Texts = std::vector<std::string>;

const std::string cities = "city,size\nRome,3\nBonn,1\n\"Rome\",4\nOslo,2\n";

}  // namespace

TEST_CASE("csv: texts become codes of categories, in the order of the texts") {
  const Table table = parse(cities, {.categorical = {{"city"}}});
  CHECK(table.categories.at("city") == Texts{"Bonn", "Oslo", "Rome"});
  CHECK(table.column("city") == Column{2, 0, 2, 1});
  CHECK(table.column("size") == Column{3, 1, 4, 2});
  const Array codes = table.codes("city");
  CHECK(codes.dtype() == i64);
  CHECK(codes.at(2) == 2);
  const Array one_hot = table.one_hot("city");
  CHECK(one_hot.shape() == Shape{4, 3});
  for (int64_t i = 0; i < 12; ++i) CHECK(one_hot.at(i) == (i == 2 || i == 3 || i == 8 || i == 10));
  CHECK_THROWS_WITH(table.codes("size"), contains_text("column 'size' holds numbers, not categories"));
  CHECK_THROWS_WITH(table.codes("none"), contains_text("no column 'none'"));
  const Table numbered = parse("a,1\nb,2\na,1\n", {.header = false, .categorical = {{"0"}, {"1"}}});
  CHECK(numbered.column("1") == Column{0, 1, 0});
  CHECK(numbered.categories.at("1") == Texts{"1", "2"});
}

TEST_CASE("csv: categories that are given keep their codes, and there are no others") {
  const Table table = parse(cities, {.categorical = {{"city", {"Oslo", "Rome", "Paris", "Bonn"}}}});
  CHECK(table.column("city") == Column{1, 3, 1, 0});
  CHECK(table.categories.at("city") == Texts{"Oslo", "Rome", "Paris", "Bonn"});
  CHECK(table.one_hot("city").shape() == Shape{4, 4});
  CHECK(failure(cities, {.categorical = {{"city", {"Rome", "Bonn"}}}}) ==
        ":5:1: column 'city': 'Oslo' is none of the categories 'Rome', 'Bonn'");
  CHECK_THAT(failure(cities, {.categorical = {{"city", {"a", "a"}}}}), Catch::Contains("column 'city' is given the category 'a' twice"));
  CHECK_THAT(failure(cities, {.categorical = {{"town"}}}), Catch::Contains("no column 'town'; the columns are 'city', 'size'"));
}

TEST_CASE("csv: missing values are refused, numbers, means or the end of their rows") {
  const std::string holes = "a,b\n1,2\n,4\n3,\n5,9\n";
  CHECK(failure(holes, {}) == ":3:1: column 'a': the value is missing");
  const Table numbers = parse(holes, {.missing = Missing::number(-1)});
  CHECK(numbers.column("a") == Column{1, -1, 3, 5});
  CHECK(numbers.column("b") == Column{2, 4, -1, 9});
  CHECK(numbers.filled == 2);
  const Table means = parse(holes, {.missing = Missing::mean()});
  CHECK(means.column("a") == Column{1, 3, 3, 5});
  CHECK(means.column("b") == Column{2, 4, 5, 9});
  const Table rows = parse(holes, {.missing = Missing::drop_row()});
  CHECK(rows.column("a") == Column{1, 5});
  CHECK(rows.column("b") == Column{2, 9});
  CHECK(rows.dropped == 2);
  CHECK(rows.filled == 0);
  const Table mixed = parse(holes, {.missing = Missing::drop_row(), .missing_in = {{"b", Missing::mean()}}});
  CHECK(mixed.column("b") == Column{2, 5.5, 9});  // of the rows that are left
  CHECK(mixed.dropped == 1);
  CHECK(mixed.filled == 1);
  CHECK(failure(holes, {.missing_in = {{"a", Missing::mean()}}}) == ":4:3: column 'b': the value is missing");
  CHECK_THAT(failure(holes, {.missing_in = {{"c", Missing::mean()}}}), Catch::Contains("no column 'c'"));
}

TEST_CASE("csv: other texts may say that there is no value, and wrong ones are wrong all the same") {
  const std::string marks = "a,b\n?,1\nNA,2\n4,3\n";
  CHECK(parse(marks, {.missing = Missing::mean(), .missing_texts = {"?", "NA"}}).column("a") == Column{4, 4, 4});
  CHECK(failure(marks, {.missing = Missing::mean()}) == ":2:1: column 'a': '?' is not a finite number");
  CHECK(failure("a\n1\n\"\"\n2\n", {.missing = Missing::mean(), .missing_texts = {"?"}}) == ":3:1: column 'a': the value is missing");
  // Also in a row that is left out.
  CHECK(failure("a,b\n,x\n1,2\n", {.missing = Missing::drop_row()}) == ":2:2: column 'b': 'x' is not a finite number");
}

TEST_CASE("csv: missing categories") {
  const std::string holes = "city,size\nRome,3\n,1\nBonn,4\nOslo,\n";
  CHECK(failure(holes, {.categorical = {{"city"}}}) == ":3:1: column 'city': the value is missing");
  const CsvOptions minus{.categorical = {{"city"}}, .missing = Missing::number(-1)};
  const Table table = parse(holes, minus);
  CHECK(table.column("city") == Column{2, -1, 0, 1});
  CHECK_THROWS_WITH(table.codes("city"), contains_text("row 1 of column 'city' has the code -1, which is no category's"));
  const Table dropped = parse(holes, {.categorical = {{"city"}}, .missing = Missing::drop_row()});
  CHECK(dropped.column("city") == Column{1, 0});
  CHECK(dropped.categories.at("city") == Texts{"Bonn", "Rome"});  // Oslo's row is left out
  CHECK_THAT(failure(holes, {.categorical = {{"city"}}, .missing = Missing::mean()}),
             Catch::StartsWith(":3:1: column 'city': the value is missing, and texts have no mean"));
  CHECK_THAT(failure(holes, {.categorical = {{"city"}}, .missing_in = {{"city", Missing::mean()}}}),
             Catch::Contains("column 'city' is categorical, and texts have no mean"));
  CHECK(parse(holes, {.categorical = {{"city"}}, .missing = Missing::mean(), .missing_in = {{"city", Missing::drop_row()}}}).rows() == 3);
}

TEST_CASE("csv: where nothing is left there is nothing to read") {
  CHECK_THAT(failure("a,b\n,1\n,2\n", {.missing = Missing::mean()}), Catch::Contains("column 'a' has no value that a mean could be of"));
  CHECK_THAT(failure("a,b\n,1\n,2\n", {.missing = Missing::drop_row()}), Catch::Contains("all 2 rows have a missing value"));
}

TEST_CASE("csv: the real tables that have texts and holes") {
  if (const auto folder = test::data_directory("california-housing")) {
    const Table table = read_csv(*folder + "/housing.csv", {.categorical = {{"ocean_proximity"}}, .missing = Missing::mean()});
    CHECK(table.rows() == 20640);
    CHECK(table.filled == 207);
    CHECK(table.categories.at("ocean_proximity") == Texts{"<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN"});
    CHECK(table.column("total_bedrooms")[290] == Approx(537.8705525375618));  // pandas' mean
  }
  if (const auto folder = test::data_directory("auto-mpg")) {
    const Table table =
        read_csv(*folder + "/mpg.csv", {.categorical = {{"origin"}, {"name"}}, .missing_in = {{"horsepower", Missing::drop_row()}}});
    CHECK(table.rows() == 392);
    CHECK(table.dropped == 6);
    CHECK(table.categories.at("origin") == Texts{"europe", "japan", "usa"});
  }
}
