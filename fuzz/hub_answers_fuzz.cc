// What a hub answers to who downloads from it. A list of files that is taken is the same after it was kept and read.
#include <cstdint>

#include "client/answers.h"
#include "client/file_choice.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<client::RemoteFile> files;
  if (client::ParseTreePage(text, files) && client::SortFiles(files)) {
    for (const client::RemoteFile& file : files) CHECK(IsInnerPath(file.path));
    const auto again = client::ParseTreeFile(client::WriteTreeFile(files));
    CHECK(again && *again == files);
  }
  if (const auto plan = client::ParseXetPlan(text)) {
    CHECK(plan->offset_into_first < plan->terms.front().raw_bytes);
    for (const auto& term : plan->terms) {
      const client::XetPlan::Fetch& fetch = plan->fetches.at(term.fetch);
      CHECK(fetch.chunk_begin <= term.chunk_begin && term.chunk_end <= fetch.chunk_end);
    }
  }
  (void)client::ParseCommit(text);
  (void)client::ParseXetGrant(text);
  (void)client::ParseRepository(text);
  if (const auto object = client::ParseLargeObject(text, std::string(64, 'a'))) {
    CHECK(object->address.find('\n') == std::string::npos);
    for (const auto& [name, value] : object->headers) CHECK((name + value).find('\n') == std::string::npos);
  }
  (void)client::ParseTreeFile(text);
  return 0;
}
