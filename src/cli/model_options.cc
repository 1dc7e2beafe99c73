#include "cli/model_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "cli/terminal.h"
#include "client/hub_cache.h"
#include "models/families.h"
#include "text/open_tokenizer.h"

namespace bothy::cli {

void ModelOptions::AddTo(CLI::App* app, std::string default_kv) {
  kv = std::move(default_kv);
  app->add_option("model", model, "A folder, a .gguf or .safetensors file, or ns/name[@revision][:file] in the cache")
      ->required();
  app->add_option("-t,--threads", threads, "Threads to compute with (default: one for each core)")
      ->check(CLI::Range(1, 1024));
  app->add_option("--kv", kv, "Type of the cache of keys and values")
      ->check(CLI::IsMember({"f16", "f32"}))
      ->capture_default_str();
  app->add_option("-c,--context", context, "Tokens of context to make room for (default: what the model was made for)")
      ->check(CLI::Range(1, 1 << 30));
}

Result<std::filesystem::path> ResolveModel(const std::string& model) {
  return ResolveModelPath(model, HubCache::FromEnvironment(std::getenv));
}

namespace {

// Said once, where a model is opened: what is left out may be why it answers strangely.
void WarnOfUnused(const ModelFiles& files, const ModelInfo& info) {
  constexpr size_t kNames = 4;
  const size_t count = info.unused_arrays.size();
  if (count == 0) return;
  std::string names;
  for (size_t i = 0; i < std::min(count, kNames); i++) names += (i > 0 ? ", " : "") + info.unused_arrays[i];
  fmt::print(stderr, "[{} holds {} array{} that {} models do not use: {}{}]\n", files.name, count,
             count == 1 ? "" : "s", info.family, names, count > kNames ? ", ..." : "");
}

}  // namespace

Result<ModelFiles> OpenFilesFromOptions(const ModelOptions& options) {
  return OpenModelFiles(TRY(ResolveModel(options.model)));
}

Result<OpenModel> OpenFromOptions(const ModelOptions& options, Precision precision, size_t sequences) {
  return LoadFromOptions(TRY(OpenFilesFromOptions(options)), options, precision, sequences);
}

Result<OpenModel> LoadFromOptions(ModelFiles files, const ModelOptions& options, Precision precision,
                                  size_t sequences) {
  const auto start = std::chrono::steady_clock::now();
  OpenModel open;
  open.files = std::move(files);
  open.pool = std::make_unique<ThreadPool>(options.threads);
  std::unique_ptr<LanguageModel> model;
  {
    Progress progress("Loading " + options.model);
    const LoadOptions load = {.precision = precision, .max_rows = 512, .progress = [&](uint64_t done, uint64_t total) {
                                progress.Update(done, total);
                              }};
    model = TRY(LoadLanguageModel(open.files, *open.pool, load));
  }
  WarnOfUnused(open.files, model->info());
  const size_t context = options.context > 0 ? options.context : model->info().context_length;
  if (context > model->info().context_length) {
    return Fail(ErrorCode::kOutOfRange, "{}: a context of {} tokens is more than the model was made for: at most {}",
                options.model, context, model->info().context_length);
  }
  open.engine =
      TRY(Engine::Create(std::move(model), *open.pool,
                         {.kv = options.kv == "f32" ? KvType::kF32 : KvType::kF16,
                          .cache_tokens = sequences * ((context + kPageTokens - 1) / kPageTokens * kPageTokens)}));
  open.load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return open;
}

Result<std::unique_ptr<Tokenizer>> OpenTokenizerOf(const ModelFiles& files) { return OpenTokenizer(files); }

size_t RoomOf(const ModelOptions& options, const ModelInfo& info) {
  if (options.context == 0) return info.context_length;
  return std::min((options.context + kPageTokens - 1) / kPageTokens * kPageTokens, info.context_length);
}

std::string MakeRoomAdvice(const ModelOptions& options, const ModelInfo& info) {
  if (RoomOf(options, info) == info.context_length) return "use a shorter prompt";
  return fmt::format("use a shorter prompt, or --context up to {}", info.context_length);
}

uint64_t ResidentBytes() {
  uint64_t pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu %lu", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * 4096;
}

}  // namespace bothy::cli
