// Reads PyTorch checkpoints (torch.save: zip archives since version 1.6, a row of pickles before) without running
// anything of them.
#pragma once

#include <memory>
#include <string_view>

#include "base/byte_source.h"
#include "codec/checkpoint.h"

namespace bothy {

// The tensors of the state_dict (codec/torch_pickle.h says where it is looked for). Tensors that lie in order in their
// storage are read where they lie in the file; others (transposed, expanded) are put in order when they are first read.
// A pickle that asks for anything but what tensors are made of is kPermissionDenied, with that name.
Result<Checkpoint> ReadTorchCheckpoint(std::shared_ptr<const ByteSource> source);

// Whether a file that starts with these (at least 14) bytes is one.
bool LooksLikeTorchCheckpoint(std::string_view start);

}  // namespace bothy
