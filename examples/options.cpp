#include "options.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include <weft/support/memory.h>
#include <weft/support/number_text.h>

namespace {

void require(CLI::Option* option, const std::string& what, std::function<bool(const std::string&)> fits) {
  const std::string name = option->get_name();
  option->check([name, what, fits](const std::string& given) -> std::string {
    if (!fits(given)) throw weft::Error("{} must be {}, not {}", name, what, given.empty() ? "empty" : given);
    return "";
  });
}

template <class T>
void add_integer(CLI::App& app, const char* name, T& value, int64_t least, const char* doc) {
  require_integer(app.add_option(name, value, doc)->capture_default_str(), least);
}

/// Throws weft::Error for what a training alone heeds, where there is none.
void refuse_without_training(const CLI::App& app) {
  if (app.count("--epochs") == 0 || app.get_option("--epochs")->as<int64_t>() > 0) return;
  refuse_beside(app, "--epochs 0",
                {"--batch",   "--lr",      "--metrics",    "--dump-ir",     "--check-finite", "--max-steps", "--optimizer",
                 "--shuffle", "--workers", "--eval-every", "--overfit",     "--patience",     "--find-lr",   "--curve",
                 "--plots",   "--watch",   "--watched",    "--tensorboard", "--profile",      "--trace",     "--report",
                 "--save",    "--resume",  "--accumulate", "--clip-norm"});
}

}  // namespace

void require_integer(CLI::Option* option, int64_t least) {
  require(option, least == 1 ? "a positive integer" : fmt::format("an integer of at least {}", least),
          [least](const std::string& given) { return weft::number_in<int64_t>(given).value_or(least - 1) >= least; });
}

void require_number(CLI::Option* option, double least) {
  require(option, fmt::format("a number of at least {}", least), [least](const std::string& given) {
    const std::optional<double> value = weft::number_in<double>(given);
    return value && *value >= least && std::isfinite(*value);
  });
}

void require_one_of(CLI::Option* option, std::vector<std::string> names) {
  const std::string what = fmt::format("{} or {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
  require(option, what, [names](const std::string& given) { return std::count(names.begin(), names.end(), given) > 0; });
}

void refuse_beside(const CLI::App& app, const std::string& other, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (app.count(name) > 0) throw weft::Error("{} has no effect with {}", name, other);
}

weft::Target Options::target() const {
  const std::optional<weft::DType> type = weft::dtype_from_name(autocast);
  const std::optional<int64_t> limit = memory_limit ? std::optional(memory_limit) : std::nullopt;
  if (device == "cpu") return weft::Target::cpu({.threads = threads, .max_isa = max_isa, .autocast = type, .memory_limit = limit});
  const bool is_gpu = device.starts_with("cuda");
  if (!trace.empty() && !is_gpu) throw weft::Error("--trace has no effect with --device {}", device);
  if (profile && !is_gpu) throw weft::Error("--profile has no effect with --device {}", device);
  if (threads > 0) throw weft::Error("--threads has no effect with --device {}", device);
  if (!autocast.empty() && !is_gpu) throw weft::Error("--autocast has no effect with --device {}", device);
  if (memory_limit && !is_gpu) throw weft::Error("--memory-limit has no effect with --device {}", device);
  if (!max_isa.empty()) throw weft::Error("--max-isa has no effect with --device {}", device);
  return weft::Target::from_name(device, {.autocast = type, .memory_limit = limit});
}

weft::FitOptions Options::fit() const {
  if (!plots.empty()) in_directory(plots, "");  // before hours of training end so
  return {
      .epochs = epochs,
      .batch = batch,
      .accumulate = accumulate,
      .seed = seed,
      .data = {.shuffle = shuffle, .overfit = overfit, .workers = workers},
      .stop = {.max_steps = max_steps, .patience = patience},
      .measure = {.test_every = eval_every, .gradient_norms = !plots.empty(), .watch = watch, .profile = profile},
      .checkpoints = {.path = save, .keep_best = !save.empty() && patience > 0, .resume = resume},
      .files = {.metrics = metrics, .loss_curve = curve, .watched = watched, .tensorboard = tensorboard, .trace = trace, .report = report},
      .log = log,
      .program = {.target = target(), .dump_ir = dump_ir, .check_finite = check_finite}};
}

weft::EvaluateOptions Options::evaluation() const {
  return {.batch = batch,
          .workers = workers,
          .seed = seed,
          .log = log,
          .program = {.target = target(), .dump_ir = dump_ir, .check_finite = check_finite}};
}

weft::LrSearchOptions Options::lr_search() const {
  const weft::FitOptions training = fit();
  return {.batch = batch, .accumulate = accumulate, .seed = seed, .data = training.data, .log = log, .program = training.program};
}

std::string in_directory(const std::string& directory, const std::string& name) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) throw weft::Error("cannot make the folder '{}': {}", directory, code.message());
  return directory + "/" + name;
}

void add_options(CLI::App& app, Options& o) {
  const auto integer = [&](const char* name, auto& value, int64_t least, const char* doc) { add_integer(app, name, value, least, doc); };
  app.add_option("--device", o.device, "cpu, cuda or cuda:N (an NVIDIA GPU), or reference: slow, in double precision")
      ->capture_default_str();
  integer("--epochs", o.epochs, o.least_epochs,
          o.least_epochs == 0 ? "passes over the training data; 0: no training" : "passes over the training data");
  integer("--batch", o.batch, 1, "examples in a batch");
  require_number(app.add_option("--lr", o.lr, "learning rate")->capture_default_str(), 0);
  integer("--seed", o.seed, 0, "of the initial weights, the order of the batches and generated data");
  app.add_option("--data", o.data, "where the data is; without it, data that the program has or makes itself");
  app.add_option("--metrics", o.metrics, "append a line of JSON per epoch to this file");
  app.add_option("--dump-ir", o.dump_ir, "write the graph after every pass, and the generated code, into this directory");
  app.add_flag("--check-finite", o.check_finite,
               "stop at the first value that is nan or infinite: which op, of which layer and line; the step is undone and written into a "
               "folder that weft run replays");
  integer("--max-steps", o.max_steps, 0, "stop after so many steps; 0: no limit");
  integer("--threads", o.threads, 0, "compute threads, at most; 0: what WEFT_THREADS says, else one per core");
  require_one_of(app.add_option("--max-isa", o.max_isa,
                                "the widest instruction set to use, sse4, avx2 or avx512; "
                                "otherwise what WEFT_MAX_ISA or the machine says"),
                 {"sse4", "avx2", "avx512"});
  require(app.add_option("--autocast", o.autocast, "bf16: products and convolutions run in it, the rest in f32; otherwise all in f32"),
          "bf16", [](const std::string& given) { return given == "bf16"; });
  const auto keep_limit = [&o](const std::string& given) { o.memory_limit = weft::bytes_in(given).value_or(0); };
  require(app.add_option_function<std::string>("--memory-limit", keep_limit,
                                               "keep what a step computes in between within so many bytes (also 64MiB, 1GB): values are "
                                               "computed again, bit for bit")
              ->type_name("BYTES"),
          "a number of bytes, as 64MiB or 1GB", [](const std::string& given) { return weft::bytes_in(given).value_or(0) > 0; });
}

void add_training_options(CLI::App& app, Options& o) {
  add_options(app, o);
  require_one_of(app.add_option("--optimizer", o.optimizer, "sgd or adam")->capture_default_str(), {"sgd", "adam"});
  app.add_flag("--shuffle,!--no-shuffle", o.shuffle, "a new order of the examples in every epoch, or file order")
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  add_integer(app, "--workers", o.workers, 1, "threads that load batches ahead of the training step");
  add_integer(app, "--eval-every", o.eval_every, 0, "also evaluate after every so many steps; 0: after epochs only");
  add_integer(app, "--overfit", o.overfit, 0, "train on the first so many examples only; 0: on all");
  add_integer(app, "--patience", o.patience, 0,
              "stop after so many epochs without a smaller test loss, and go back to the weights of the smallest; 0: never");
  CLI::Option* search =
      app.add_flag("--find-lr", o.find_lr, "look for a good learning rate first, and train with it")->excludes(app.get_option("--lr"));
  require_one_of(app.add_option("--log", o.log, "bar, plain, classic (as PyTorch's quickstart prints) or none")->capture_default_str(),
                 {"bar", "plain", "classic", "none"});
  app.add_option("--curve", o.curve, "write the loss of every training step into this CSV file");
  app.add_option("--plots", o.plots, "draw pictures of the training into this directory (with gnuplot)");
  app.add_option("--tensorboard", o.tensorboard, "write losses and accuracies into this directory, as TensorBoard reads them");
  CLI::Option* watch =
      app.add_option(
             "--watch", o.watch,
             "measure these values at every step, layers (fc1), gradients (fc1.weight.grad) and updates (fc1.weight.update); * stands "
             "for anything. Into --watched and --tensorboard")
          ->allow_extra_args(false);
  app.add_option("--watched", o.watched, "append a line of JSON per step and value of --watch to this file")->needs(watch);
  app.add_flag("--profile", o.profile, "print where the time of a training step goes, by layer, by kernel and call by call");
  app.add_option("--trace", o.trace, "write what each thread did in the first 10 training steps into this file, for ui.perfetto.dev");
  app.add_option("--report", o.report,
                 "write a page about the training step into this HTML file: its graph after every pass, memory, times, kernels, loss");
  app.add_option("--save", o.save,
                 "keep the weights and all that training needs to go on in this safetensors file, from epoch to epoch; with "
                 "--patience the best ones in FILE.best.safetensors for FILE.safetensors");
  app.add_option("--resume", o.resume, "go on from this file as if training had not stopped; learning rate and other numbers come from it")
      ->excludes(search);
  add_integer(app, "--accumulate", o.accumulate, 1, "compute the gradient of a batch in so many parts, the activations of one at a time");
  require_number(app.add_option("--clip-norm", o.clip_norm, "scale the gradient down to this norm; 0: do not")->capture_default_str(), 0);
}

void add_side_by_side_options(CLI::App& app, Options& o) {
  add_training_options(app, o);
  const std::pair<const char*, const char*> docs[] = {
      {"--patience",
       "a net stops after so many epochs without a smaller test loss, while the others go on, and goes back to the weights of "
       "the smallest; 0: never"},
      {"--find-lr", "look for a good learning rate for each net first, and train with it"},
      {"--log", "bar, plain, classic (as PyTorch's tutorials print) or none"},
      {"--curve", "write the loss of every training step into this directory, NET.csv for each net"},
      {"--tensorboard", "write losses and accuracies into this directory, as TensorBoard reads them, a run for each net"},
      {"--trace",
       "write what each thread did in the first 10 training steps into this directory, NET.json for each net, for ui.perfetto.dev"},
      {"--report", "write a page about the training step into this directory, NET.html for each net"},
      {"--watched", "append a line of JSON per step and value of --watch into this directory, NET.jsonl for each net"},
      {"--save",
       "keep the weights and all that training needs to go on in this directory, NET.safetensors for each net, from epoch to "
       "epoch; with --patience the best ones in NET.best.safetensors"},
      {"--resume", "go on from this directory as if training had not stopped; learning rates and other numbers come from it"}};
  for (const auto& [name, doc] : docs) app.get_option(name)->description(doc);
}

int run_example(CLI::App& app, int argc, char** argv, void (*body)(void*), void* context) {
  try {
    app.parse(argc, argv);
    refuse_without_training(app);
    body(context);
    return 0;
  } catch (const CLI::Success& e) {  // --help
    return app.exit(e);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
