#include "compress/file_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

namespace bothy {
namespace {

constexpr std::array kFileTypes = {
    FileTypeInfo{FileType::kF32, "F32", DType::kF32},          FileTypeInfo{FileType::kF16, "F16", DType::kF16},
    FileTypeInfo{FileType::kBF16, "BF16", DType::kBF16},       FileTypeInfo{FileType::kQ8_0, "Q8_0", DType::kQ8_0},
    FileTypeInfo{FileType::kQ6_K, "Q6_K", DType::kQ6_K},       FileTypeInfo{FileType::kQ5_1, "Q5_1", DType::kQ5_1},
    FileTypeInfo{FileType::kQ5_K_M, "Q5_K_M", DType::kQ5_K},   FileTypeInfo{FileType::kQ5_K_S, "Q5_K_S", DType::kQ5_K},
    FileTypeInfo{FileType::kQ5_0, "Q5_0", DType::kQ5_0},       FileTypeInfo{FileType::kQ4_1, "Q4_1", DType::kQ4_1},
    FileTypeInfo{FileType::kQ4_K_M, "Q4_K_M", DType::kQ4_K},   FileTypeInfo{FileType::kQ4_K_S, "Q4_K_S", DType::kQ4_K},
    FileTypeInfo{FileType::kIQ4_NL, "IQ4_NL", DType::kIQ4_NL}, FileTypeInfo{FileType::kQ4_0, "Q4_0", DType::kQ4_0},
    FileTypeInfo{FileType::kIQ4_XS, "IQ4_XS", DType::kIQ4_XS}, FileTypeInfo{FileType::kQ3_K_L, "Q3_K_L", DType::kQ3_K},
    FileTypeInfo{FileType::kQ3_K_M, "Q3_K_M", DType::kQ3_K},   FileTypeInfo{FileType::kQ3_K_S, "Q3_K_S", DType::kQ3_K},
    FileTypeInfo{FileType::kQ2_K, "Q2_K", DType::kQ2_K},
};

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Of "blk.7.ffn_up.weight" 7, of a name without a layer nothing.
std::optional<uint32_t> LayerOf(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const char* end = name.data() + name.size();
  uint32_t layer = 0;
  const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, layer);
  if (error != std::errc() || rest == end || *rest != '.') return std::nullopt;
  return layer;
}

// What an array does in a model, as far as the rules tell it apart.
enum class Role { kTokenEmbedding, kOutput, kAttentionValue, kAttentionKey, kAttentionOutput, kDown, kOther };

Role RoleOf(std::string_view name) {
  if (name == "output.weight") return Role::kOutput;
  if (name == "token_embd.weight" || name == "per_layer_token_embd.weight") return Role::kTokenEmbedding;
  // Fused projections count as what is in them and needs most bits.
  for (const std::string_view part : {"attn_qkv.weight", "attn_kv_b.weight", "attn_v.weight"}) {
    if (Contains(name, part)) return Role::kAttentionValue;
  }
  if (Contains(name, "attn_k.weight")) return Role::kAttentionKey;
  if (Contains(name, "attn_q.weight")) return Role::kOther;
  if (Contains(name, "attn_output.weight")) return Role::kAttentionOutput;
  if (Contains(name, "ffn_up") || Contains(name, "ffn_gate")) return Role::kOther;
  if (Contains(name, "ffn_down")) return Role::kDown;
  return Role::kOther;
}

// Small or delicate arrays of many architectures, by a part of their names.
constexpr std::array<std::string_view, 35> kNeverQuantized = {
    "_norm.weight",
    "ffn_gate_inp.weight",      // chooses experts
    "ffn_gate_tid2eid.weight",  // a table of integers (DeepSeek-V4)
    "altup",                    // Gemma 3n, a few elements
    "laurel",                   // Gemma 3n
    "per_layer_model_proj",     // Gemma 3n
    "ssm_conv1d",               // Mamba, Kimi
    "shortconv.conv.weight",    // LFM2
    "indexer.k_proj.weight",    // MiniMax
    "indexer.q_proj.weight",    // MiniMax
    "time_mix_first.weight",    // RWKV from here on
    "time_mix_w0.weight",
    "time_mix_w1.weight",
    "time_mix_w2.weight",
    "time_mix_v0.weight",
    "time_mix_v1.weight",
    "time_mix_v2.weight",
    "time_mix_a0.weight",
    "time_mix_a1.weight",
    "time_mix_a2.weight",
    "time_mix_g1.weight",
    "time_mix_g2.weight",
    "time_mix_decay_w1.weight",
    "time_mix_decay_w2.weight",
    "time_mix_lerp_fused.weight",
    "attn_rel_b.weight",  // T5's relative positions
    ".position_embd",     // images and sound from here on
    "sam.pos_embd",
    "sam.neck.",
    "sam.net_",
    ".rel_pos",
    ".patch_embd",
    ".patch_merger",
    "a.rvq.codebook",
    "mm.a.code_embd",
};

bool MayBeQuantized(const ArrayInfo& array) {
  // Leading dimensions of 1 do not count.
  size_t dimensions = array.shape.size();
  while (dimensions > 1 && array.shape[array.shape.size() - dimensions] == 1) dimensions--;
  if (dimensions < 2 || !array.name.ends_with("weight")) return false;
  if (array.name == "position_embd.weight" || array.name == "token_types.weight") return false;
  return std::ranges::none_of(kNeverQuantized, [&](std::string_view part) { return Contains(array.name, part); });
}

uint64_t RowElements(const ArrayInfo& array) { return array.shape.empty() ? 1 : array.shape.back(); }

bool FitsRow(DType type, const ArrayInfo& array) { return RowElements(array) % InfoOf(type).elements == 0; }

// A type of like precision with blocks of 32 where a row has no whole number of larger ones, then f16.
DType FittingType(DType type, const ArrayInfo& array) {
  if (FitsRow(type, array)) return type;
  DType smaller = type;
  switch (type) {
    case DType::kIQ4_XS: smaller = DType::kIQ4_NL; break;
    case DType::kQ2_K:
    case DType::kQ3_K: smaller = DType::kQ4_0; break;
    case DType::kQ4_K: smaller = DType::kQ5_0; break;
    case DType::kQ5_K: smaller = DType::kQ5_1; break;
    case DType::kQ6_K: smaller = DType::kQ8_0; break;
    default: break;
  }
  return FitsRow(smaller, array) ? smaller : DType::kF16;
}

// The first and the last eighth, and every third in between.
bool DeservesMore(uint32_t i, uint32_t count) {
  const uint32_t eighth = count / 8;
  return i < eighth || i >= 7 * count / 8 || (i - eighth) % 3 == 2;
}

// Grouped-query models of 70 billion parameters, told by their layers: values are so small there that bits are cheap.
bool Is70B(const ModelTraits& model) {
  if (model.architecture == "llama") {
    return model.layers == 80 && model.experts != 8 && model.heads != model.key_value_heads;
  }
  if (model.architecture == "jais2") return model.layers == 68;
  return model.layers == 80 &&
         (model.architecture == "qwen2" || model.architecture == "deci" || model.architecture == "olmo");
}

class Mixture {
 public:
  Mixture(FileType file_type, const ModelTraits& model)
      : file_type_(file_type),
        type_(InfoOf(file_type).dtype),
        model_(model),
        falcon_(model.architecture == "falcon"),
        grouped_(model.key_value_heads != 0 && model.heads / model.key_value_heads >= 4) {}

  DType ForOutput(const ArrayInfo& array) const {
    if (falcon_ || !FitsRow(type_, array) || type_ == DType::kQ8_0) return DType::kQ8_0;
    return DType::kQ6_K;
  }

  // The `i`th of `count` value projections, by the order of layers.
  DType ForValue(uint32_t i, uint32_t count) const {
    if (model_.experts == 8) return DType::kQ8_0;  // costs next to nothing beside the experts
    DType type = type_;
    if (Is(FileType::kQ2_K)) type = grouped_ ? DType::kQ4_K : DType::kQ3_K;
    if (Is(FileType::kQ3_K_M)) type = i < 2 ? DType::kQ5_K : DType::kQ4_K;
    if (Is(FileType::kQ3_K_L)) type = DType::kQ5_K;
    if (IsIQ4() && grouped_) type = DType::kQ5_K;
    if ((Is(FileType::kQ4_K_M) || Is(FileType::kQ5_K_M)) && DeservesMore(i, count)) type = DType::kQ6_K;
    if (Is(FileType::kQ4_K_S) && i < 4) type = DType::kQ5_K;
    if (Is70B(model_) && (type == DType::kQ3_K || type == DType::kQ4_K)) type = DType::kQ5_K;
    return type;
  }

  DType ForKey() const { return model_.experts == 8 ? DType::kQ8_0 : type_; }

  // Of layer `i` of `count`.
  DType ForDown(uint32_t i, uint32_t count) const {
    const bool more = DeservesMore(i, count);
    switch (file_type_) {
      case FileType::kQ2_K: return DType::kQ3_K;
      case FileType::kQ3_K_M:
        if (i < count / 16) return DType::kQ5_K;
        return falcon_ && !more ? DType::kQ3_K : DType::kQ4_K;
      case FileType::kQ3_K_L: return falcon_ ? DType::kQ4_K : DType::kQ5_K;
      case FileType::kQ4_K_M:
        if (!falcon_) return more ? DType::kQ6_K : type_;
        if (i < count / 16) return DType::kQ6_K;
        return more ? DType::kQ5_K : DType::kQ4_K;
      case FileType::kQ5_K_M: return more ? DType::kQ6_K : type_;
      case FileType::kQ4_K_S: return !falcon_ && i < count / 8 ? DType::kQ5_K : type_;
      case FileType::kIQ4_NL:
      case FileType::kIQ4_XS: return i < count / 8 ? DType::kQ5_K : type_;
      default: return type_;
    }
  }

  DType ForAttentionOutput() const {
    if (falcon_) return Is(FileType::kQ3_K_L) ? DType::kQ4_K : type_;
    if (model_.experts == 8) {
      const bool few_bits = Is(FileType::kQ2_K) || Is(FileType::kQ3_K_S) || Is(FileType::kQ3_K_M) || IsIQ4() ||
                            Is(FileType::kQ4_K_S) || Is(FileType::kQ4_K_M);
      return few_bits ? DType::kQ5_K : type_;
    }
    if (Is(FileType::kQ2_K)) return DType::kQ3_K;
    if (Is(FileType::kQ3_K_M)) return DType::kQ4_K;
    if (Is(FileType::kQ3_K_L)) return DType::kQ5_K;
    return type_;
  }

  DType type() const { return type_; }

 private:
  bool Is(FileType file_type) const { return file_type_ == file_type; }
  bool IsIQ4() const { return Is(FileType::kIQ4_NL) || Is(FileType::kIQ4_XS); }

  FileType file_type_;
  DType type_;
  const ModelTraits& model_;
  bool falcon_;
  bool grouped_;  // four or more query heads share a key-value head
};

}  // namespace

std::span<const FileTypeInfo> FileTypes() { return kFileTypes; }

const FileTypeInfo& InfoOf(FileType file_type) {
  const auto found = std::ranges::find(kFileTypes, file_type, &FileTypeInfo::file_type);
  CHECK(found != kFileTypes.end());
  return *found;
}

std::optional<FileType> FileTypeFromName(std::string_view name) {
  for (const FileTypeInfo& info : kFileTypes) {
    const bool medium = info.name.ends_with("_K_M") && EqualIgnoringCase(name, info.name.substr(0, 4));
    if (medium || EqualIgnoringCase(name, info.name)) return info.file_type;
  }
  return std::nullopt;
}

bool ComesBefore(std::string_view name, std::string_view other) {
  const std::optional<uint32_t> layer = LayerOf(name);
  const std::optional<uint32_t> other_layer = LayerOf(other);
  if (layer != other_layer) return layer < other_layer;
  return name < other;
}

Result<std::vector<DType>> ChooseTypes(FileType file_type, const ModelTraits& model,
                                       std::span<const ArrayInfo> arrays) {
  const Mixture mixture(file_type, model);
  std::vector<size_t> order(arrays.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) { return ComesBefore(arrays[a].name, arrays[b].name); });
  const auto has_role = [](Role role) { return [=](const ArrayInfo& array) { return RoleOf(array.name) == role; }; };
  const bool tied = std::ranges::none_of(arrays, has_role(Role::kOutput));
  const auto values = static_cast<uint32_t>(std::ranges::count_if(arrays, has_role(Role::kAttentionValue)));

  std::vector<DType> types(arrays.size());
  uint32_t value = 0;
  uint32_t down = 0;
  for (const size_t i : order) {
    const ArrayInfo& array = arrays[i];
    if (!MayBeQuantized(array)) {
      types[i] = array.dtype;
      continue;
    }
    if (!IsQuantized(mixture.type())) {
      types[i] = mixture.type();
      continue;
    }
    switch (RoleOf(array.name)) {
      case Role::kOutput: types[i] = mixture.ForOutput(array); break;
      case Role::kTokenEmbedding:  // where it is the output too, it is treated as such
        types[i] = tied ? mixture.ForOutput(array) : mixture.type();
        break;
      case Role::kAttentionValue: types[i] = mixture.ForValue(value++, values); break;
      case Role::kAttentionKey: types[i] = mixture.ForKey(); break;
      case Role::kAttentionOutput: types[i] = mixture.ForAttentionOutput(); break;
      case Role::kDown: {
        uint32_t layer = down++;
        if (model.experts > 1) {  // a layer may have several, so their number says nothing
          const std::optional<uint32_t> named = LayerOf(array.name);
          if (!named || *named >= model.layers) {
            return Fail(ErrorCode::kInvalidArgument, "array {}: expected a name blk.N. with a layer N below {}",
                        array.name, model.layers);
          }
          layer = *named;
        }
        types[i] = mixture.ForDown(layer, model.layers);
        break;
      }
      case Role::kOther: types[i] = mixture.type(); break;
    }
    types[i] = FittingType(types[i], array);
  }
  return types;
}

}  // namespace bothy
