#include <cstdlib>

#include "hub/commit_lines.h"
#include "input.h"

using namespace bothy;

namespace {

void Describe(std::string& seen, const CommitLine& line) {
  seen += static_cast<char>('0' + line.index());
  if (const auto* file = std::get_if<AddedFile>(&line)) seen += file->path + file->content;
  if (const auto* file = std::get_if<AddedLargeFile>(&line)) seen += file->path + file->sha256;
}

std::string ReadInPieces(std::string_view text, size_t piece) {
  std::string seen;
  CommitLineReader reader([&](const CommitLine& line) -> Result<void> {
    Describe(seen, line);
    return {};
  });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    if (!reader.Add(text.substr(0, piece))) return seen + "|refused";
  }
  return seen + (reader.Finish() ? "" : "|refused");
}

}  // namespace

// However the body is cut, it means the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = InputText(data, size);
  const std::string whole = ReadInPieces(text, std::max<size_t>(size, 1));
  if (ReadInPieces(text, 1) != whole || ReadInPieces(text, 5) != whole) std::abort();
  return 0;
}
