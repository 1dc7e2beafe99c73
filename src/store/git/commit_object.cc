#include "store/git/commit_object.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace bothy::git {
namespace {

constexpr int kMaxOffsetMinutes = 14 * 60;  // of Kiribati's Line Islands, the farthest from Greenwich

bool IsCrud(char c) {
  constexpr std::string_view kCrud = ".,:;<>\"\\'";
  return static_cast<uint8_t>(c) <= ' ' || kCrud.find(c) != std::string_view::npos;
}

std::string CleanIdent(std::string_view text, std::string_view otherwise) {
  while (!text.empty() && IsCrud(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsCrud(text.back())) text.remove_suffix(1);
  std::string clean;
  for (const char c : text) {
    if (c != '<' && c != '>' && c != '\n' && c != '\0') clean += c;
  }
  return clean.empty() ? std::string(otherwise) : clean;
}

std::string FormatSignature(const Signature& signature) {
  const int minutes = std::abs(std::clamp(signature.offset_minutes, -kMaxOffsetMinutes, kMaxOffsetMinutes));
  return fmt::format("{} <{}> {} {}{:02}{:02}", CleanIdent(signature.name, "unknown"),
                     CleanIdent(signature.email, "unknown"), std::max<int64_t>(signature.time, 0),
                     signature.offset_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string CleanMessage(std::string_view message) {
  std::string text;
  for (const char c : message) {
    if (c != '\0') text += c;
  }
  while (!text.empty() && static_cast<uint8_t>(text.back()) <= ' ') text.pop_back();
  if (!text.empty()) text += '\n';
  return text;
}

template <class T>
T NumberIn(std::string_view text) {
  T number = 0;
  while (text.starts_with(' ') || text.starts_with('+')) text.remove_prefix(1);
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "name <email> 1700000000 +0200", leniently, as commits of 20 years of programs are in repositories.
Signature ParseSignature(std::string_view line) {
  Signature signature;
  const size_t open = line.find('<');
  const size_t close = line.rfind('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    signature.name = line;
    return signature;
  }
  std::string_view name = line.substr(0, open);
  while (name.ends_with(' ')) name.remove_suffix(1);
  signature.name = name;
  signature.email = line.substr(open + 1, close - open - 1);
  std::string_view rest = line.substr(close + 1);
  signature.time = NumberIn<int64_t>(rest);
  const size_t zone = rest.rfind(' ');
  if (zone != std::string_view::npos) {
    const int value = NumberIn<int>(rest.substr(zone));
    signature.offset_minutes = value / 100 * 60 + value % 100;
  }
  return signature;
}

}  // namespace

std::string FormatTag(const Oid& commit, std::string_view name, const Signature& tagger, std::string_view message) {
  return fmt::format("object {}\ntype commit\ntag {}\ntagger {}\n\n{}", commit.ToHex(), name, FormatSignature(tagger),
                     CleanMessage(message));
}

std::string FormatCommit(const Oid& tree, std::span<const Oid> parents, const Signature& author,
                         const Signature& committer, std::string_view message) {
  std::string text = fmt::format("tree {}\n", tree.ToHex());
  for (const Oid& parent : parents) text += fmt::format("parent {}\n", parent.ToHex());
  text += fmt::format("author {}\ncommitter {}\n\n", FormatSignature(author), FormatSignature(committer));
  return text + CleanMessage(message);
}

Result<Commit> ParseCommit(const Oid& oid, std::string_view bytes) {
  Commit commit{.oid = oid};
  const auto corrupt = [&] { return Fail(ErrorCode::kCorrupt, "commit {}: its header is malformed", oid.ToHex()); };
  bool has_tree = false, has_author = false, has_committer = false;
  while (!bytes.empty() && bytes.front() != '\n') {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return corrupt();
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (line.starts_with("tree ")) {
      const auto tree = Oid::FromHex(line.substr(5));
      if (!tree) return corrupt();
      commit.tree = *tree;
      has_tree = true;
    } else if (line.starts_with("parent ")) {
      const auto parent = Oid::FromHex(line.substr(7));
      if (!parent) return corrupt();
      commit.parents.push_back(*parent);
    } else if (line.starts_with("author ")) {
      commit.author = ParseSignature(line.substr(7));
      has_author = true;
    } else if (line.starts_with("committer ")) {
      commit.committer = ParseSignature(line.substr(10));
      has_committer = true;
    }
  }
  if (!has_tree || !has_author || !has_committer) return corrupt();
  if (!bytes.empty()) bytes.remove_prefix(1);
  while (bytes.starts_with('\n')) bytes.remove_prefix(1);
  while (bytes.ends_with('\n')) bytes.remove_suffix(1);
  // As git's %s: the first paragraph on one line.
  const size_t paragraph = bytes.find("\n\n");
  commit.title = bytes.substr(0, paragraph);
  std::replace(commit.title.begin(), commit.title.end(), '\n', ' ');
  if (paragraph != std::string_view::npos) {
    bytes.remove_prefix(paragraph);
    while (bytes.starts_with('\n')) bytes.remove_prefix(1);
    commit.description = bytes;
  }
  return commit;
}

Result<Commit> ReadCommit(const ObjectReader& reader, const Oid& oid, IfMissing missing) {
  return ParseCommit(oid, TRY(reader.Read(oid, ObjectKind::kCommit, kMaxCommitBytes, missing)).bytes());
}

}  // namespace bothy::git
