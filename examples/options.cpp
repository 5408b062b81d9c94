#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

weft::Target Options::target() const {
  if (device == "cpu") return weft::Target::cpu({.threads = threads});
  return weft::Target::from_name(device);
}

void add_options(CLI::App& app, Options& o) {
  app.add_option("--device", o.device, "cpu, or reference: slow, in double precision")->capture_default_str();
  app.add_option("--epochs", o.epochs, "passes over the training data")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--batch", o.batch, "examples in a batch")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--lr", o.lr, "learning rate")->capture_default_str()->check(CLI::NonNegativeNumber);
  app.add_option("--seed", o.seed, "of the initial weights, the order of the batches and generated data")->capture_default_str();
  app.add_option("--data", o.data, "where the data is; without it, data that the program has or makes itself");
  app.add_option("--metrics", o.metrics, "append a line of JSON per epoch to this file");
  app.add_option("--dump-ir", o.dump_ir, "write the graph after every pass, and the generated code, into this directory");
  app.add_option("--max-steps", o.max_steps, "stop after so many steps; 0: no limit")->capture_default_str()->check(CLI::NonNegativeNumber);
  app.add_option("--threads", o.threads, "compute threads; 0: one per core")->capture_default_str()->check(CLI::NonNegativeNumber);
}

int run_example(CLI::App& app, int argc, char** argv, void (*body)(void*), void* context) {
  try {
    app.parse(argc, argv);
    body(context);
    return 0;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
