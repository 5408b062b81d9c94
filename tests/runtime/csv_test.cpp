#include "weft/runtime/data/csv.h"

#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::TempDir;

namespace {

Table parse(const std::string& content, CsvOptions options = {}) {
  const TempDir dir;
  return read_csv(dir.write("t.csv", content), options);
}

std::string failure(const std::string& content, CsvOptions options = {}) {
  const TempDir dir;
  const std::string path = dir.write("t.csv", content);
  try {
    read_csv(path, options);
  } catch (const Error& error) {
    const std::string text = error.what();
    REQUIRE(text.starts_with(path));
    return text.substr(path.size());
  }
  return "read";
}

using Column = std::vector<double>;

}  // namespace

TEST_CASE("csv: columns by name") {
  const Table table = parse("a,b\n1,2.5\n-3e2,+.5\n");
  CHECK(table.columns == std::vector<std::string>{"a", "b"});
  CHECK(table.rows() == 2);
  CHECK(table.column("a") == Column{1, -300});
  CHECK(table.column("b") == Column{2.5, 0.5});
  CHECK_THROWS_WITH(table.column("c"), "no column 'c'; the columns are 'a', 'b'");
  const Array both = table.array({"b", "a"});
  CHECK(both.shape() == Shape{2, 2});
  CHECK(both.at(0) == 2.5);
  CHECK(both.at(3) == -300);
  CHECK_THROWS_WITH(table.array({"a", "x"}), "no column 'x'; the columns are 'a', 'b'");
}

TEST_CASE("csv: line ends, spaces, quotes, byte order mark") {
  CHECK(parse("a,b\r\n1,2\r\n3,4\r\n\r\n").column("b") == Column{2, 4});
  CHECK(parse("a\n1\n2").column("a") == Column{1, 2});  // no line end at the end
  CHECK(parse("a,b\r1,2\r3,4\r").column("b") == Column{2, 4});
  CHECK(parse("a,b\r1,2\n3,4\r\n5,6").column("a") == Column{1, 3, 5});
  CHECK(failure("a,b\r1,2\r3\r") == ":3: 1 field, but the header has 2");
  CHECK(parse("\xEF\xBB\xBF"
              "a , b\n 1 ,\t2\n")
            .column("b") == Column{2});
  const Table quoted = parse("\"a, \"\"x\"\"\" , \"b\"\n\"1\",2\n");
  CHECK(quoted.columns == std::vector<std::string>{"a, \"x\"", "b"});
  CHECK(quoted.column("a, \"x\"") == Column{1});
  CHECK(parse("a,b\n").rows() == 0);
}

TEST_CASE("csv: without a header line") {
  const Table table = parse("1,2\n3,4", {.header = false});
  CHECK(table.columns == std::vector<std::string>{"0", "1"});
  CHECK(table.column("1") == Column{2, 4});
}

TEST_CASE("csv: bad values are refused with line and column") {
  CHECK(failure("a,b\n1,2\n3,\n") == ":3:3: column 'b': the value is missing");
  CHECK(failure("a,b\n1,2\n,3\n") == ":3:1: column 'a': the value is missing");
  CHECK(failure("a,b\n1,x2\n") == ":2:3: column 'b': 'x2' is not a finite number");
  CHECK(failure("a, b\n 1 ,  x2\n") == ":2:7: column 'b': 'x2' is not a finite number");
  CHECK(failure("a,b\n\"1\", \"two\"\n") == ":2:6: column 'b': 'two' is not a finite number");
  CHECK(failure("a,b\n1,2x\n") == ":2:3: column 'b': '2x' is not a finite number");
  CHECK(failure("a,b\n1,+-2\n") == ":2:3: column 'b': '+-2' is not a finite number");
  CHECK(failure("a\nnan\n") == ":2:1: column 'a': 'nan' is not a finite number");
  CHECK(failure("a\ninf\n") == ":2:1: column 'a': 'inf' is not a finite number");
  CHECK(failure("a\n1e999\n") == ":2:1: column 'a': '1e999' is out of the range of f64");
  CHECK(failure("a\n" + std::string(99, 'z') + "\n") == ":2:1: column 'a': '" + std::string(40, 'z') + "' is not a finite number");
  CHECK(failure("x,2\n3,4\n", {.header = false}) ==
        ":1:1: column '0': 'x' is not a finite number; "
        "if the first line names the columns, read with .header = true");
}

TEST_CASE("csv: bad lines are refused") {
  CHECK(failure("") == ": it is empty");
  CHECK(failure("\r\n\n") == ": it is empty");
  CHECK(failure("a,b\n1\n") == ":2: 1 field, but the header has 2");
  CHECK(failure("a,b\n1,2,3\n") == ":2: 3 fields, but the header has 2");
  CHECK(failure("1,2\n1,2,3\n", {.header = false}) == ":2: 3 fields, but the first line has 2");
  CHECK(failure("a,b\n1,2\n\n3,4\n") == ":3: 1 field, but the header has 2");
  CHECK(failure("a,\n1,2\n") == ":1: column 2 has no name");
  CHECK(failure("a,a\n1,2\n") == ":1: two columns are named 'a'");
  CHECK(failure("1,2\n3,4\n") ==
        ":1: a line of column names was expected, but it has only numbers; without such a line, read "
        "with "
        ".header = false");
  CHECK(failure("\"a,b\n1,2\n") == ":1: a quoted field does not end");
  CHECK(failure("\"a\"x,b\n1,2\n") == ":1: there is text after a quoted field");
  const TempDir dir;
  for (const std::string& utf16 : {std::string("\xFF\xFE"
                                               "a\0\n\0",
                                               6),
                                   std::string("\xFE\xFF\0a\0\n", 6),
                                   std::string("a\0\n\0"
                                               "1\0",
                                               6)})
    CHECK(failure(utf16) == ": it is no text of one byte a character, as UTF-16 is none; save it as UTF-8");
  CHECK_THROWS_WITH(read_csv(dir.path()), "cannot read '" + dir.path() + "': it is a folder, not a file");
  CHECK_THROWS_WITH(read_csv(dir / "none"), "cannot read '" + (dir / "none") + "': there is no such file");
}

TEST_CASE("csv: wine quality") {
  const auto directory = weft::test::data_directory("wine-quality");
  if (!directory) {
    WARN("skipped: no data set 'wine-quality' ($WEFT_DATA names the directory of data sets)");
    return;
  }
  const Table red = read_csv(*directory + "/winequality-red.csv", {.header = false});
  CHECK(red.rows() == 1599);
  CHECK(red.columns.size() == 12);
  for (const double quality : red.column("11")) REQUIRE((quality >= 0 && quality <= 10));
}
