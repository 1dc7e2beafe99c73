#include "serve/served_model.h"

#include <algorithm>

#include "models/families.h"
#include "runtime/grammar/gbnf.h"
#include "serve/constraint_grammar.h"
#include "text/open_chat_template.h"
#include "text/open_tokenizer.h"

namespace bothy::serve {
namespace {

// Of grammars that were asked for lately, and each one's masks: 256 MiB at the most.
constexpr size_t kGrammarsKept = 16, kGrammarMemory = size_t{16} << 20;
// A prompt goes through the model in batches of so many tokens at most.
constexpr size_t kMaxRows = 512;
constexpr size_t kMaxTexts = 32;  // that the cache has room for at their full length, where memory allows

// Bytes of the cache for one token.
uint64_t TokenBytes(const KvShape& shape, KvType type) {
  const uint64_t element = type == KvType::kF16 ? 2 : 4;
  return uint64_t{shape.layers} * shape.kv_heads * (shape.head_dim + PaddedHeadDim(shape.head_dim)) * element;
}

size_t RoundToPages(size_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens * kPageTokens; }

}  // namespace

uint64_t ExpectedBytes(const ModelFiles& files, const ServingOptions& options) {
  uint64_t bytes = options.cache_bytes;
  for (const ArrayInfo& array : files.checkpoint.arrays()) bytes += array.size;
  return bytes;
}

Result<std::shared_ptr<ServedModel>> ServedModel::Load(ModelFiles files, const ServingOptions& options,
                                                       std::function<void(uint64_t, uint64_t)> progress) {
  std::shared_ptr<ServedModel> served(new ServedModel);
  served->files_ = std::move(files);
  served->tokenizer_ = TRY(OpenTokenizer(served->files_));
  served->token_bytes_ = BytesOfTokens(*served->tokenizer_);
  if (auto found = OpenChatTemplate(served->files_, *served->tokenizer_)) {
    served->chat_ = ChatPrompt::Create(*std::move(found));
  } else if (found.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(std::move(found).error());
  }
  TRY(served->ReadDefaults());
  served->pool_ = std::make_unique<ThreadPool>(options.threads);
  auto model =
      TRY(LoadLanguageModel(served->files_, *served->pool_,
                            {.precision = Precision::kFast, .max_rows = kMaxRows, .progress = std::move(progress)}));
  const ModelInfo& info = model->info();
  const uint64_t token_bytes = TokenBytes(info.kv, options.kv);
  const size_t room = std::max<uint64_t>(options.cache_bytes / token_bytes / kPageTokens, 1) * kPageTokens;
  const size_t wanted = options.context > 0 ? options.context : info.context_length;
  if (wanted > info.context_length) {
    return Fail(ErrorCode::kOutOfRange, "{}: a context of {} tokens is more than the model was made for: at most {}",
                served->name(), wanted, info.context_length);
  }
  served->context_ = std::min(wanted, room);
  const size_t cache_tokens = std::min(room, RoundToPages(served->context_) * kMaxTexts);
  served->bytes_ = info.weight_bytes + cache_tokens * token_bytes;
  served->engine_ =
      TRY(Engine::Create(std::move(model), *served->pool_, {.kv = options.kv, .cache_tokens = cache_tokens}));
  served->scheduler_ = TRY(Scheduler::Create(*served->engine_, served->tokenizer_.get(), options.scheduler));
  return served;
}

Result<void> ServedModel::ReadDefaults() {
  if (files_.generation_config) {
    TRY_CONTEXT("generation_config.json", ReadSampling(*files_.generation_config, SettingsFrom::kFile, defaults_));
  }
  // A file's lengths, beams and numbers of answers are for callers who do not say what they want.
  defaults_.max_length.reset();
  defaults_.max_new_tokens.reset();
  defaults_.num_return_sequences = 1;
  defaults_.num_beams = 1;
  for (const TokenId end : tokenizer_->special_tokens().end_of_generation) {
    if (std::ranges::find(defaults_.eos_token_id, end) == defaults_.eos_token_id.end()) {
      defaults_.eos_token_id.push_back(end);
    }
  }
  return {};
}

std::string ServedModel::BytesOf(TokenId token) const {
  if (tokenizer_->IsSpecial(token)) return std::string(tokenizer_->Piece(token));
  const auto index = static_cast<size_t>(token);
  return token >= 0 && index < token_bytes_.bytes.size() ? token_bytes_.bytes[index] : "";
}

Result<std::shared_ptr<const CompiledGrammar>> ServedModel::GrammarFor(const ConstraintSpec& constraint) {
  if (constraint.kind == ConstraintSpec::Kind::kNone) return nullptr;
  const std::string key = KeyOf(constraint);
  std::shared_ptr<const GrammarVocabulary> vocabulary;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(grammars_, key, [](const auto& grammar) { return grammar.first; });
    if (found != grammars_.end()) {
      std::rotate(grammars_.begin(), found, found + 1);
      return grammars_.front().second;
    }
    if (vocabulary_ == nullptr) {
      vocabulary_ = GrammarVocabulary::Create(*tokenizer_, info().vocabulary, defaults_.eos_token_id);
    }
    vocabulary = vocabulary_;
  }
  auto compiled = TRY(CompiledGrammar::Create(TRY(GrammarOf(constraint)), std::move(vocabulary), kGrammarMemory));
  const std::lock_guard lock(mutex_);
  grammars_.insert(grammars_.begin(), {key, compiled});
  if (grammars_.size() > kGrammarsKept) grammars_.pop_back();
  return compiled;
}

}  // namespace bothy::serve
