// The text of commit and tag objects. Internal to store/git.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/git/commits.h"
#include "store/git/objects.h"

namespace bothy::git {

// Names and addresses lose what would break the format (git's ident.c), the message its NULs and its trailing space.
std::string FormatCommit(const Oid& tree, std::span<const Oid> parents, const Signature& author,
                         const Signature& committer, std::string_view message);

// An annotated tag, with the same care.
std::string FormatTag(const Oid& commit, std::string_view name, const Signature& tagger, std::string_view message);

// kCorrupt where tree, parents, author or committer are not what they have to be.
Result<Commit> ParseCommit(const Oid& oid, std::string_view bytes);

Result<Commit> ReadCommit(const ObjectReader& reader, const Oid& oid, IfMissing missing = IfMissing::kCorrupt);

}  // namespace bothy::git
