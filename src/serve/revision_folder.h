// A model in a revision of a repository, opened where it lies in the hub: nothing is copied.
#pragma once

#include <memory>
#include <string>

#include "codec/model_files.h"
#include "hub/files.h"

namespace bothy::serve {

// Looked through for a model; a repository of more files is no model that one would load.
inline constexpr size_t kMaxModelFiles = 20'000;

// The model of a revision: where `wanted` is empty the one that its root holds, else what a file's path or a
// quantization chooses (ChooseFiles). `name` is for messages: "ns/name". Fails as OpenModelFiles, and as
// RepositoryFiles where content is not there.
Result<ModelFiles> OpenRevision(std::shared_ptr<const RepositoryFiles> files, const git::Oid& commit,
                                const std::string& wanted, const std::string& name);

}  // namespace bothy::serve
