// Which files of a repository are meant: by a path, a quantization, or patterns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy {

// A relative path that stays below where it begins: what a file of a repository may be called.
bool IsInnerPath(std::string_view path);

// ASCII letters in lower case.
std::string Lower(std::string_view text);

// "a, b, c", of which at most 20 are named.
std::string Listed(const std::vector<std::string>& names);

// `wanted` among the files of a repository: a path, a file's name, or a quantization that one GGUF model's name has
// ("Q4_K_M" for "Model.Q4_K_M.gguf", "model-q4_k_m-00001-of-00002.gguf", "Q4_K_M/model.gguf"), whatever the case. All
// parts of a split model, which must be there, the first one first. `where` is for messages. Several: kInvalidArgument,
// listing them; none: kNotFound, listing what there is.
Result<std::vector<std::string>> ChooseFiles(std::string_view where, const std::vector<std::string>& files,
                                             std::string_view wanted);

// Whether one of `include` fits, or there is none, and none of `exclude`. As Python's clients read patterns: "*", "?"
// and "[...]" of fnmatch, which do not stop at "/"; one that ends with "/" is for all that is in the folder.
bool FitsPatterns(const std::string& path, const std::vector<std::string>& include,
                  const std::vector<std::string>& exclude);

}  // namespace bothy
