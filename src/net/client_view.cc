#include "net/client_view.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ranges>

namespace bothy::net {
namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsMapped(const IpAddress& address) { return std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin()); }

// "1.2.3.4:80" and "[::1]:80" without what follows the address.
std::string_view WithoutPort(std::string_view text) {
  if (text.starts_with('[')) return text.substr(0, std::min(text.find(']'), text.size() - 1) + 1);
  return std::ranges::count(text, ':') == 1 ? text.substr(0, text.find(':')) : text;
}

bool IsTrusted(const ClientViewOptions& options, const IpAddress& address) {
  return std::ranges::any_of(options.trusted_proxies,
                             [&](const IpNetwork& network) { return network.Contains(address); });
}

// The last element: what the nearest proxy has said.
std::string_view LastElement(const Headers& headers, std::string_view name) {
  const auto values = headers.FindAll(name);
  if (values.empty()) return {};
  const auto elements = SplitList(values.back());
  return elements.empty() ? std::string_view() : elements.back();
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  std::ranges::copy(kMapped, address.bytes.begin());
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data() + kMapped.size()) == 1) return address;
  return std::nullopt;
}

std::string IpAddress::Text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (IsMapped(*this)) {
    inet_ntop(AF_INET, bytes.data() + kMapped.size(), text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

Result<IpNetwork> IpNetwork::Parse(std::string_view text) {
  const size_t slash = std::min(text.find('/'), text.size());
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return Fail(ErrorCode::kInvalidArgument, "\"{}\" is no address", text);
  IpNetwork network{*address, 128};
  if (slash == text.size()) return network;
  const auto prefix_text = text.substr(slash + 1);
  const int shift = IsMapped(*address) ? 96 : 0;
  const auto [end, error] =
      std::from_chars(prefix_text.data(), prefix_text.data() + prefix_text.size(), network.prefix);
  if (error != std::errc() || end != prefix_text.data() + prefix_text.size() || network.prefix < 0 ||
      network.prefix > 128 - shift) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\" is no network", text);
  }
  network.prefix += shift;
  return network;
}

bool IpNetwork::Contains(const IpAddress& other) const {
  for (int bit = 0; bit < prefix; bit += 8) {
    const auto i = static_cast<size_t>(bit / 8);
    const int bits = std::min(8, prefix - bit);
    if ((address.bytes[i] ^ other.bytes[i]) >> (8 - bits) != 0) return false;
  }
  return true;
}

bool IsHost(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~:[]").find(c) != std::string_view::npos;
  });
}

ClientView ViewOfClient(const ClientViewOptions& options, const IpAddress& peer, bool encrypted, std::string_view host,
                        std::string_view fallback_host, const Headers& headers) {
  std::string_view scheme = encrypted ? "https" : "http";
  if (host.empty()) host = fallback_host;
  IpAddress remote = peer;
  if (IsTrusted(options, peer)) {
    // From the right, for each proxy adds whom it saw: the first that we do not trust is the client, and what it says
    // about others is its own invention.
    std::vector<std::string_view> hops;
    for (const std::string_view value : headers.FindAll("X-Forwarded-For"))
      std::ranges::copy(SplitList(value), std::back_inserter(hops));
    for (const std::string_view hop : std::views::reverse(hops)) {
      const auto address = IpAddress::Parse(WithoutPort(hop));
      if (!address) break;
      remote = *address;
      if (!IsTrusted(options, remote)) break;
    }
    const auto forwarded_scheme = LastElement(headers, "X-Forwarded-Proto");
    if (EqualsIgnoringCase(forwarded_scheme, "https")) scheme = "https";
    if (EqualsIgnoringCase(forwarded_scheme, "http")) scheme = "http";
    const auto forwarded_host = LastElement(headers, "X-Forwarded-Host");
    if (IsHost(forwarded_host)) host = forwarded_host;
  }
  ClientView view{remote.Text(), options.public_url};
  if (view.base_url.empty()) view.base_url = fmt::format("{}://{}", scheme, host);
  while (view.base_url.ends_with('/')) view.base_url.pop_back();
  return view;
}

}  // namespace bothy::net
