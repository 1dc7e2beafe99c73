// bothy quantize: a model with smaller weights, as one GGUF file.
#include <CLI/CLI.hpp>
#include <chrono>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "codec/json.h"
#include "compress/hugging_face.h"
#include "compress/quantize.h"

namespace bothy::cli {
namespace {

struct Options {
  std::string model;
  std::string out;
  std::string type;
  int threads = 0;
  bool force = false;
  bool json = false;
};

std::string TypeNames() {
  std::string names;
  for (const FileTypeInfo& info : FileTypes()) {
    if (!names.empty()) names += ", ";
    names += info.name;
  }
  return names;
}

// Refuses before anything is read what would only fail, or destroy something, at the end.
Result<void> CheckOutput(const Options& options) {
  std::error_code ignored;
  if (!options.force && std::filesystem::exists(options.out, ignored)) {
    return Fail(ErrorCode::kAlreadyExists, "{}: is there already; --force overwrites it", options.out);
  }
  return {};
}

void PrintJson(const Options& options, const QuantizeSummary& summary, FileType file_type, double seconds) {
  json::object arrays;
  for (const auto& [type, count] : summary.arrays) arrays[DTypeName(type)] = count;
  fmt::print("{}\n", json::Serialize(json::object{{"output", options.out},
                                                  {"file_type", InfoOf(file_type).name},
                                                  {"source_bytes", summary.source_bytes},
                                                  {"bytes", summary.bytes},
                                                  {"parameters", summary.parameters},
                                                  {"arrays", std::move(arrays)},
                                                  {"requantized", summary.requantized},
                                                  {"seconds", seconds}}));
}

Result<void> Run(const Options& options) {
  const std::optional<FileType> file_type = FileTypeFromName(options.type);
  if (!file_type) {
    return Fail(ErrorCode::kUsage, "--type {}: expected one of {}", options.type, TypeNames());
  }
  TRY(CheckOutput(options));
  CatchInterrupts();
  const auto start = std::chrono::steady_clock::now();
  const ModelFiles files = TRY(OpenModelFiles(TRY(ResolveModel(options.model))));
  GgufConversion conversion;
  if (files.gguf) {
    conversion.model = TRY(GgufModelFromGguf(files));
  } else {
    conversion = TRY(GgufModelFromFolder(files));
  }
  if (!conversion.has_vocabulary) {
    fmt::print(stderr, "Note: {} has no tokenizer; the file will not have one either.\n", files.name);
  }
  ThreadPool pool(options.threads);
  QuantizeSummary summary;
  {
    Progress progress("Quantizing " + options.model);
    summary =
        TRY(WriteModel(conversion.model, files, options.out, pool, {*file_type, [&](uint64_t done, uint64_t total) {
                                                                      progress.Update(done, total);
                                                                      return !Interrupted();
                                                                    }}));
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (summary.requantized > 0) {
    fmt::print(stderr,
               "Note: {} arrays of the source were quantized already. From the original weights the result would be "
               "better.\n",
               summary.requantized);
  }
  if (options.json) {
    PrintJson(options, summary, *file_type, seconds);
  } else {
    fmt::print(
        "{}: {}, {} parameters, {} (before: {}; {:.2f} bits a weight), in {}\n", options.out, InfoOf(*file_type).name,
        HumanCount(summary.parameters), HumanBytes(summary.bytes), HumanBytes(summary.source_bytes),
        8.0 * static_cast<double>(summary.bytes) / static_cast<double>(std::max<uint64_t>(summary.parameters, 1)),
        HumanSeconds(seconds));
  }
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(quantize)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("quantize", "Write a model to a GGUF file with its weights in a smaller type");
  app->add_option("model", options->model,
                  "A folder, a .gguf or .safetensors file, or ns/name[@revision][:file] in the cache")
      ->required();
  app->add_option("out", options->out, "The GGUF file to write")->required();
  app->add_option("--type", options->type, "File type: " + TypeNames())->required();
  app->add_option("-t,--threads", options->threads, "Threads to compute with (default: one for each core)")
      ->check(CLI::Range(1, 1024));
  app->add_flag("--force", options->force, "Overwrite what is there");
  app->add_flag("--json", options->json,
                "Print {output, file_type, source_bytes, bytes, parameters, arrays: {type: count}, requantized, "
                "seconds}");
  app->footer("Example:\n  bothy quantize model.gguf model-Q4_K_M.gguf --type Q4_K_M");
  runner.Set(app, [options] { return Run(*options); });
}
