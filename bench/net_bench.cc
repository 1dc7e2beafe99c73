// A server with next to nothing behind it, for bench/net_bench.py: what the network folder itself costs.
//   net_bench FILE [threads]     prints its address, serves until its standard input ends
// /small answers 13 bytes, /file sends FILE, PUT /discard counts what comes.
#include <cstdio>
#include <cstdlib>

#include "net/server.h"

using namespace bothy;
using namespace bothy::net;

namespace {

Task<Response> Handle(Request& request, std::shared_ptr<const FileHandle> file, uint64_t size) {
  if (request.path == "/small") co_return Response::Text(Status::kOk, "Hello, World!");
  if (request.path == "/file") {
    co_return ServeContent(request, {"application/octet-stream", {"\"f\"", {}}, {{std::move(file), 0, size}}});
  }
  request.body->SetLimit(UINT64_MAX);
  std::vector<std::byte> piece(256 << 10);
  uint64_t total = 0;
  for (;;) {
    auto read = co_await request.body->Read(piece);
    if (!read) co_return Response::FromError(read.error());
    if (*read == 0) break;
    total += *read;
  }
  co_return Response::Text(Status::kOk, std::to_string(total));
}

Result<void> Run(const char* path, int threads) {
  const auto file = TRY(FileHandle::Open(path));
  const uint64_t size = TRY(file->Size());
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.network_threads = threads;
  const auto server = TRY(Server::Start(options, [&](Request& request) { return Handle(request, file, size); }));
  std::printf("%s\n", server->addresses().front().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  server->Stop(std::chrono::seconds(1));
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  const auto result = Run(arguments[1], count > 2 ? std::atoi(arguments[2]) : 2);
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str());
  return result ? 0 : 1;
}
