// TLS 1.2 and later on a socket, by OpenSSL.
#pragma once

#include <filesystem>
#include <memory>

#include "net/tcp_stream.h"

namespace bothy::net {

// A certificate and its key, as new connections use them.
class TlsContext {
 public:
  // PEM files; the certificate's may hold the chain. kInvalidArgument where they do not belong together.
  static Result<std::shared_ptr<TlsContext>> Load(const std::filesystem::path& certificate,
                                                  const std::filesystem::path& key);
  ~TlsContext();

  // A stream of one accepted connection; null where there is no memory for it.
  std::unique_ptr<SocketStream> Accept(Loop& loop, int socket) const;

  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace bothy::net
