// A client for tests that sends exactly the bytes it is told to and shows what comes back.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace bothy::net {

struct RawResponse {
  int status = 0;  // 0: the connection ended instead
  std::string head;
  std::string body;

  bool Has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

class RawClient {
 public:
  explicit RawClient(int port, int receive_buffer = 0) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{30, 0};  // only a test that fails waits as long
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) ADD_FAILURE() << "cannot connect";
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Close() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  void EndWriting() { shutdown(socket_, SHUT_WR); }

  // Whether all of it could be sent.
  bool Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // Everything until `end` comes; what is behind it stays for the next read.
  std::string ReadUntil(std::string_view end) {
    for (;;) {
      if (const size_t at = buffer_.find(end); at != std::string::npos) return Take(at + end.size());
      if (!Receive()) return Take(buffer_.size());
    }
  }
  std::string ReadExactly(size_t size) {
    while (buffer_.size() < size && Receive()) continue;
    return Take(std::min(size, buffer_.size()));
  }
  std::string ReadToEnd() {
    while (Receive()) continue;
    return Take(buffer_.size());
  }

  // One response; its body is decoded where it is chunked. `head_only`: it answers HEAD.
  RawResponse Read(bool head_only = false) {
    RawResponse response;
    response.head = ReadUntil("\r\n\r\n");
    if (!response.head.starts_with("HTTP/1.1 ")) return response;
    response.status = std::stoi(response.head.substr(9, 3));
    if (head_only || response.status == 204 || response.status == 304 || response.status == 100) return response;
    if (response.Has("Transfer-Encoding: chunked\r\n")) {
      for (;;) {
        const std::string line = ReadUntil("\r\n");
        if (line.empty()) break;
        const size_t size = std::stoul(line, nullptr, 16);
        response.body += ReadExactly(size);
        ReadExactly(2);
        if (size == 0) break;
      }
    } else if (const size_t at = response.head.find("Content-Length: "); at != std::string::npos) {
      response.body = ReadExactly(std::stoul(response.head.substr(at + 16)));
    } else {
      response.body = ReadToEnd();
    }
    return response;
  }
  RawResponse Ask(std::string_view text) {
    Send(text);
    return Read();
  }
  RawResponse Get(std::string_view path) { return Ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n"); }

  // Whether the other side has ended the connection, with nothing before.
  bool AtEnd() { return ReadToEnd().empty(); }

 private:
  bool Receive() {
    char piece[16384];
    const ssize_t count = recv(socket_, piece, sizeof piece, 0);
    if (count <= 0) return false;
    buffer_.append(piece, static_cast<size_t>(count));
    return true;
  }
  std::string Take(size_t size) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }

  int socket_;
  std::string buffer_;
};

}  // namespace bothy::net
