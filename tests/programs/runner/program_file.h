#pragma once
// A test of passes as a file: a program in the text form, what runs on it and what comes out. All but the program are comments, so
// that `weft opt` takes the file as it is.
//
//   # cse: of two equal computations one stays
//   # run: opt --passes=cse --target=generic
//   weft 1
//   func @test {
//     ...
//   }
//
//   # becomes:
//   # weft 1
//   # ...
//
// Every `# run:` line must give the same. In place of `# becomes:` with the text that is printed there may stand `# stays`, where
// no pass may change the program, or `# fails:` with the error. CONTRIBUTING.md says how to add one.

#include <string>
#include <string_view>
#include <vector>

namespace weft::testing {

struct ProgramFile {
  enum class Expects { nothing, text, same, error };

  std::vector<std::string> runs;  // "opt --passes=cse --target=generic"
  std::string program;            // what stands above the expectation
  Expects expects = Expects::nothing;
  std::string expected;  // without the comment signs
  int line = 0;          // of the first line of `expected`
};

/// Throws weft::Error "name:line: what is wrong" for a file without a run line, with two expectations, or with something else than
/// comments below one; `needs_expectation`: for one without an expectation too.
ProgramFile read_program_file(const std::string& text, const std::string& name, bool needs_expectation = true);

/// "" where each run gives what is expected; else what differs, with the file's lines. Throws weft::Error as above, and for a
/// command, an option or a value that there is not.
std::string check_program_file(const std::string& text, const std::string& name);

/// The file's text with what its runs give as the expected text or error. A file that says `# stays` is left as it is, and one that
/// expects nothing yet expects what comes. Throws weft::Error as above, and where the runs give unequal texts, or an error where a
/// text is expected or the other way round.
std::string blessed_program_file(const std::string& text, const std::string& name);

}  // namespace weft::testing
