// Opening the model that a command line names: the options all such subcommands share, and what they come to.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "codec/model_files.h"
#include "runtime/engine.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace bothy::cli {

struct ModelOptions {
  std::string model;
  int threads = 0;
  std::string kv = "f16";
  size_t context = 0;

  // Adds MODEL, --threads, --kv and --context.
  void AddTo(CLI::App* app, std::string default_kv = "f16");
};

struct OpenModel {
  ModelFiles files;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Engine> engine;
  double load_seconds = 0;
};

// MODEL, as a path or a name in the local cache, to the file or folder it stands for.
Result<std::filesystem::path> ResolveModel(const std::string& model);

// Opens the model with progress on stderr. `sequences` times the context is what the cache has room for. kOutOfRange
// where options.context is more than the model was made for.
Result<OpenModel> OpenFromOptions(const ModelOptions& options, Precision precision, size_t sequences = 1);

// The same in two steps, for who has to look into the files to know how many sequences there will be.
Result<ModelFiles> OpenFilesFromOptions(const ModelOptions& options);
Result<OpenModel> LoadFromOptions(ModelFiles files, const ModelOptions& options, Precision precision, size_t sequences);

// The tokenizer that came with a model.
Result<std::unique_ptr<Tokenizer>> OpenTokenizerOf(const ModelFiles& files);

// The tokens that one sequence has room for, and a word on what to do where they are too few.
size_t RoomOf(const ModelOptions& options, const ModelInfo& info);
std::string MakeRoomAdvice(const ModelOptions& options, const ModelInfo& info);

// Bytes of memory that this process has in use now.
uint64_t ResidentBytes();

}  // namespace bothy::cli
