// How a client sees the server: its own address, and the address that it used, also through proxies that are trusted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/headers.h"

namespace bothy::net {

// An IPv6 address, or an IPv4 one in its place there (::ffff:a.b.c.d).
struct IpAddress {
  std::array<uint8_t, 16> bytes{};

  static std::optional<IpAddress> Parse(std::string_view text);  // with or without brackets, without a port
  std::string Text() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// "10.0.0.0/8", "fd00::/8", or one address.
struct IpNetwork {
  IpAddress address;
  int prefix = 128;

  static Result<IpNetwork> Parse(std::string_view text);
  bool Contains(const IpAddress& other) const;
};

struct ClientViewOptions {
  std::string public_url;  // "https://hub.example.org": what every client is told, whatever it says; empty: not said
  std::vector<IpNetwork> trusted_proxies;  // only these are believed X-Forwarded-For, -Proto and -Host
};

struct ClientView {
  std::string remote;    // the client's address
  std::string base_url;  // without a slash at the end
};

// `host` is what the request's target or its Host field names; `fallback_host` is for a request that names none.
ClientView ViewOfClient(const ClientViewOptions& options, const IpAddress& peer, bool encrypted, std::string_view host,
                        std::string_view fallback_host, const Headers& headers);

// Letters, digits and "-._~:[]", at most 255.
bool IsHost(std::string_view text);

}  // namespace bothy::net
