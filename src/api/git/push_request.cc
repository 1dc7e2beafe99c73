#include "api/git/push_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/git/pkt_line.h"

namespace bothy::api {
namespace {

constexpr std::string_view kShallow = "shallow ";
constexpr size_t kHexDigits = git::Oid::kHexDigits;
constexpr size_t kRefAt = 2 * (kHexDigits + 1);  // behind "OLD NEW "
constexpr size_t kMaxReportLine = 1000;          // git cuts nothing, but a terminal is a terminal

// Text that cannot move a terminal's cursor or end a line of the report.
std::string OneLine(std::string_view text) {
  std::string line(text.substr(0, kMaxReportLine));
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return line;
}

}  // namespace

bool PushRequest::BringsPack() const {
  return std::ranges::any_of(updates, [](const RefUpdate& update) { return update.after.has_value(); });
}

Result<size_t> PushRequestReader::Add(std::string_view bytes) {
  size_t used = 0;
  while (!done_ && used < bytes.size()) {
    // First the four digits, then what they count: nothing behind the request is taken.
    const size_t wanted = pending_.size() < kPacketHead ? kPacketHead : TRY(PacketBytes(pending_));
    const std::string_view more = bytes.substr(used, wanted - pending_.size());
    pending_ += more;
    used += more.size();
    const auto packet = TRY(ReadPacket(pending_));
    if (!packet) continue;
    if (packet->kind == Packet::Kind::kFlush) {
      done_ = true;
    } else {
      TRY(TakeLine(packet->data));
    }
    pending_.clear();
  }
  return used;
}

Result<void> PushRequestReader::TakeLine(std::string_view line) {
  if (lines_ == kMaxLines) return Fail(ErrorCode::kResourceExhausted, "a push of more than {} lines", kMaxLines);
  lines_++;
  if (line.ends_with('\n')) line.remove_suffix(1);
  // Where a clone's history was cut does not matter: what the hub lacks is found missing when the push is checked.
  if (line.starts_with(kShallow)) return {};
  return TakeUpdate(line);
}

Result<void> PushRequestReader::TakeUpdate(std::string_view line) {
  if (request_.updates.size() == kMaxUpdates) {
    return Fail(ErrorCode::kResourceExhausted, "a push of more than {} refs", kMaxUpdates);
  }
  const size_t end = line.find('\0');
  if (end != std::string_view::npos) {
    if (request_.updates.empty()) TakeCapabilities(line.substr(end + 1));
    line = line.substr(0, end);
  }
  const auto before = git::Oid::FromHex(line.substr(0, kHexDigits));
  const auto after =
      line.size() > kHexDigits ? git::Oid::FromHex(line.substr(kHexDigits + 1, kHexDigits)) : std::nullopt;
  if (line.size() <= kRefAt || !before || !after || line[kHexDigits] != ' ' || line[kRefAt - 1] != ' ') {
    return Fail(ErrorCode::kCorrupt, "a push: expected \"OLD NEW REF\", found \"{}\"", OneLine(line));
  }
  if (line.size() - kRefAt > kMaxRefBytes) {
    return Fail(ErrorCode::kResourceExhausted, "the name of a ref has more than {} bytes", kMaxRefBytes);
  }
  const auto unless_zero = [](const git::Oid& oid) { return oid.IsZero() ? std::nullopt : std::optional(oid); };
  request_.updates.push_back(
      {.ref = std::string(line.substr(kRefAt)), .before = unless_zero(*before), .after = unless_zero(*after)});
  return {};
}

void PushRequestReader::TakeCapabilities(std::string_view list) {
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(' '));
    list.remove_prefix(std::min(one.size() + 1, list.size()));
    if (one == "report-status" || one == "report-status-v2") request_.report = true;
    if (one == "side-band-64k") request_.side_band = true;
    if (one == "atomic") request_.atomic = true;
  }
}

std::string WritePushReport(const PushRequest& request, const PushReport& report) {
  std::string lines;
  if (request.report) {
    AppendPacket(lines, fmt::format("unpack {}\n", OneLine(report.unpack)));
    for (const PushReport::Ref& ref : report.refs) {
      AppendPacket(lines, ref.refusal.empty() ? fmt::format("ok {}\n", ref.name)
                                              : fmt::format("ng {} {}\n", ref.name, OneLine(ref.refusal)));
    }
    lines += kFlushPacket;
  }
  if (!request.side_band) return lines;
  std::string out;
  for (const std::string& message : report.messages) AppendBand(out, Band::kProgress, OneLine(message) + "\n");
  AppendBand(out, Band::kData, lines);
  out += kFlushPacket;
  return out;
}

}  // namespace bothy::api
