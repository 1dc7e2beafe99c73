#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace bothy::net {

struct TlsContext::Impl {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  ~Impl() { SSL_CTX_free(context); }
};

namespace {

constexpr size_t kRecord = 16 << 10;  // TLS's largest

std::string OpenSslError() {
  char text[256] = "unknown error";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

int OnlyHttp11(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in, unsigned in_length,
               void*) {
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_length, kProtocols, sizeof kProtocols - 1, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

class TlsStream final : public SocketStream {
 public:
  TlsStream(Loop& loop, int socket, SSL* ssl) : SocketStream(loop, socket), ssl_(ssl) {}
  ~TlsStream() override { SSL_free(ssl_); }

  Task<Result<void>> Handshake(Deadline deadline) override {
    for (;;) {
      ERR_clear_error();
      const int result = SSL_accept(ssl_);
      if (result == 1) co_return Result<void>();
      auto wanted = Moved(result, "TLS handshake");
      CO_TRY(wanted);
      auto waited = co_await WaitFor(wants_, deadline);
      CO_TRY(waited);
    }
  }

  Result<std::optional<size_t>> TryRead(std::span<std::byte> out) override {
    if (watch().cancelled()) return Fail(ErrorCode::kCancelled, "the connection was ended");
    // What OpenSSL has decrypted already no socket will tell of.
    if (TurnIsOver() && SSL_pending(ssl_) == 0) {
      read_wants_ = SocketWatch::kRead;
      return std::nullopt;
    }
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_read_ex(ssl_, out.data(), out.size(), &count);
    if (result == 1) {
      Spend(count);
      return count;
    }
    if (SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN) return size_t{0};
    auto moved = Moved(result, "reading by TLS");
    read_wants_ = wants_;
    return moved;
  }

  Result<std::optional<size_t>> TryWrite(std::span<const std::byte> bytes, bool) override {
    if (watch().cancelled()) return Fail(ErrorCode::kCancelled, "the connection was ended");
    if (TurnIsOver()) {
      write_wants_ = SocketWatch::kWrite;
      return std::nullopt;
    }
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count);
    if (result == 1) {
      Spend(count);
      return count;
    }
    auto moved = Moved(result, "writing by TLS");
    write_wants_ = wants_;
    return moved;
  }

  Result<std::optional<size_t>> TrySendFile(int file, uint64_t offset, size_t length, bool more_follows) override {
    // After "not now" the same bytes are read again: OpenSSL has taken them already and only looks at their number.
    thread_local std::array<std::byte, kRecord> buffer;
    const ssize_t count = pread(file, buffer.data(), std::min(length, buffer.size()), static_cast<off_t>(offset));
    if (count <= 0) return Fail(ErrorCode::kInternal, "a file ended while it was sent");
    return TryWrite(std::span(buffer).first(static_cast<size_t>(count)), more_follows);
  }

  Task<Result<void>> WaitToRead(Deadline deadline) override { return WaitFor(read_wants_, deadline); }
  Task<Result<void>> WaitToWrite(Deadline deadline) override { return WaitFor(write_wants_, deadline); }

  bool PeerGone() override {
    ERR_clear_error();
    std::byte next;
    size_t count = 0;
    const int result = SSL_peek_ex(ssl_, &next, 1, &count);
    if (result == 1) return false;
    const int error = SSL_get_error(ssl_, result);
    return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
  }

  void EndWriting() override {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  }

 private:
  // What an operation that did not succeed waits for; an error where it never will.
  Result<std::optional<size_t>> Moved(int result, std::string_view doing) {
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ: wants_ = SocketWatch::kRead; return std::nullopt;
      case SSL_ERROR_WANT_WRITE: wants_ = SocketWatch::kWrite; return std::nullopt;
      default: return Fail(ErrorCode::kCancelled, "{}: {}", doing, OpenSslError());
    }
  }

  SSL* ssl_;
  SocketWatch::Direction wants_ = SocketWatch::kRead;
  SocketWatch::Direction read_wants_ = SocketWatch::kRead;
  SocketWatch::Direction write_wants_ = SocketWatch::kWrite;
};

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::Load(const std::filesystem::path& certificate,
                                                     const std::filesystem::path& key) {
  auto impl = std::make_unique<Impl>();
  SSL_CTX* const context = impl->context;
  if (context == nullptr) return Fail(ErrorCode::kInternal, "OpenSSL: {}", OpenSslError());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // An idle connection holds no record buffers (34 KB each); a write may go on from another address after a pause.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(context, OnlyHttp11, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return Fail(ErrorCode::kInvalidArgument, "{}: {}", certificate.string(), OpenSslError());
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Fail(ErrorCode::kInvalidArgument, "{}: {}", key.string(), OpenSslError());
  }
  return std::make_shared<TlsContext>(std::move(impl));
}

std::unique_ptr<SocketStream> TlsContext::Accept(Loop& loop, int socket) const {
  SSL* const ssl = SSL_new(impl_->context);
  if (ssl == nullptr || SSL_set_fd(ssl, socket) != 1) {
    SSL_free(ssl);
    close(socket);
    return nullptr;
  }
  return std::make_unique<TlsStream>(loop, socket, ssl);
}

}  // namespace bothy::net
