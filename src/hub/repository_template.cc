#include "hub/repository_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bothy {
namespace {

constexpr size_t kMaxWordBytes = 64;

constexpr std::array<std::string_view, 35> kArchivesAndWeights = {"*.7z",          "*.arrow",
                                                                  "*.bin",         "*.bz2",
                                                                  "*.ckpt",        "*.ftz",
                                                                  "*.gz",          "*.h5",
                                                                  "*.joblib",      "*.lfs.*",
                                                                  "*.mlmodel",     "*.model",
                                                                  "*.msgpack",     "*.npy",
                                                                  "*.npz",         "*.onnx",
                                                                  "*.ot",          "*.parquet",
                                                                  "*.pb",          "*.pickle",
                                                                  "*.pkl",         "*.pt",
                                                                  "*.pth",         "*.rar",
                                                                  "*.safetensors", "saved_model/**/*",
                                                                  "*.tar.*",       "*.tar",
                                                                  "*.tflite",      "*.tgz",
                                                                  "*.wasm",        "*.xz",
                                                                  "*.zip",         "*.zst",
                                                                  "*tfevents*"};

constexpr std::array<std::string_view, 19> kMedia = {"*.lz4", "*.mds",  "*.pcm",  "*.sam", "*.raw", "*.aac", "*.flac",
                                                     "*.mp3", "*.ogg",  "*.wav",  "*.bmp", "*.gif", "*.png", "*.tiff",
                                                     "*.jpg", "*.jpeg", "*.webp", "*.mp4", "*.webm"};

template <size_t n>
void AddLines(std::string& text, const std::array<std::string_view, n>& patterns) {
  for (const std::string_view pattern : patterns)
    text += fmt::format("{} filter=lfs diff=lfs merge=lfs -text\n", pattern);
}

}  // namespace

std::string InitialAttributes(RepositoryKind kind) {
  std::string text;
  AddLines(text, kArchivesAndWeights);
  if (kind == RepositoryKind::kDataset) AddLines(text, kMedia);
  return text;
}

std::string InitialCard(RepositoryKind kind, std::string_view name, std::string_view license, std::string_view sdk) {
  std::string card;
  if (kind == RepositoryKind::kSpace && !sdk.empty()) card += fmt::format("title: \"{}\"\nsdk: {}\n", name, sdk);
  if (!license.empty()) card += fmt::format("license: {}\n", license);
  return card.empty() ? card : fmt::format("---\n{}---\n", card);
}

bool IsCardWord(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '-' || c == '+';
  };
  return text.size() <= kMaxWordBytes && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace bothy
