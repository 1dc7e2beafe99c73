#include "hub/lfs_tickets.h"

#include <fmt/format.h>

#include <charconv>

namespace bothy {
namespace {

std::string_view NameOf(LfsTicket::Purpose purpose) {
  return purpose == LfsTicket::Purpose::kUpload ? "lfs upload" : "lfs download";
}

// The next number of "1-2-3"; false where there is none.
template <class Number>
bool TakeNumber(std::string_view& text, Number& number) {
  const std::string_view part = text.substr(0, text.find('-'));
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return error == std::errc() && end == part.data() + part.size();
}

}  // namespace

std::string SignLfsTicket(const Signatures& signatures, const LfsTicket& ticket, Timestamp expires) {
  return signatures.Sign(NameOf(ticket.purpose),
                         fmt::format("{}-{}-{}-{}", ticket.repository_id, ticket.user_id, ticket.size, ticket.sha256),
                         expires);
}

std::optional<LfsTicket> OpenLfsTicket(const Signatures& signatures, LfsTicket::Purpose purpose,
                                       std::string_view sha256, std::string_view text) {
  const auto opened = signatures.Open(NameOf(purpose), text);
  if (!opened) return std::nullopt;
  std::string_view rest = *opened;
  LfsTicket ticket = {.purpose = purpose, .sha256 = std::string(sha256)};
  const bool whole = TakeNumber(rest, ticket.repository_id) && TakeNumber(rest, ticket.user_id) &&
                     TakeNumber(rest, ticket.size) && rest == sha256;
  return whole ? std::optional(std::move(ticket)) : std::nullopt;
}

}  // namespace bothy
