// The LLaMA family: LLaMA 1 to 3.x and Mistral. Root-mean-square norms, rotary embedding, grouped queries, SwiGLU.
// Numbers are those of transformers 5.23, models/llama/modeling_llama.py.
#pragma once

#include "codec/checkpoint.h"
#include "models/language_model.h"
#include "nn/rope.h"

namespace bothy {

struct LlamaConfig {
  size_t vocabulary = 0;
  size_t hidden = 0;
  size_t intermediate = 0;
  size_t layers = 0;
  size_t heads = 0;
  size_t kv_heads = 0;
  size_t head_dim = 0;
  size_t context_length = 0;
  float norm_epsilon = 1e-6f;
  int64_t window = 0;  // 0: none
  RopeConfig rope;
  // The embeddings are the output too where the checkpoint has none: tie_word_embeddings, and always so in GGUF.
  bool tied = false;
  // Rows of q and k are stored in pairs (GGUF, llama2.c), to be rotated (x[2i], x[2i + 1]). They are put into the
  // half-rotated order when they are packed.
  bool interleaved = false;
  bool gguf_names = false;  // "blk.0.attn_q" for "model.layers.0.self_attn.q_proj"
};

Result<std::unique_ptr<LanguageModel>> LoadLlamaModel(const LlamaConfig& config, const Checkpoint& checkpoint,
                                                      ThreadPool& pool, const LoadOptions& options);

}  // namespace bothy
