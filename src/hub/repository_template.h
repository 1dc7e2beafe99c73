// What a new repository begins with: the files of its first commit.
#pragma once

#include <string>
#include <string_view>

#include "hub/repository_kind.h"

namespace bothy {

// .gitattributes as huggingface.co makes it: which names are large files from the first push on.
std::string InitialAttributes(RepositoryKind kind);

// README.md with what was chosen when it was made; "" where nothing was. License and sdk must be words (IsCardWord).
std::string InitialCard(RepositoryKind kind, std::string_view name, std::string_view license, std::string_view sdk);

// Letters, digits, ".", "_", "-", "+" and at most 64 of them: means the same in YAML with and without quotes.
bool IsCardWord(std::string_view text);

}  // namespace bothy
