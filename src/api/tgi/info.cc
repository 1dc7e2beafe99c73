#include "api/tgi/info.h"

#include "api/protocol/fields.h"
#include "api/protocol/forms.h"
#include "api/protocol/request_parts.h"

namespace bothy::api::tgi {

json::object InfoBody(const ServerInfo& info) {
  return {{"model_id", info.model},
          {"model_sha", info.revision},
          {"model_dtype", info.dtype},
          {"model_device_type", "cpu"},
          {"model_pipeline_tag", info.task},
          {"max_concurrent_requests", info.max_concurrent_requests},
          {"max_best_of", 1},
          {"max_stop_sequences", kMaxStopStrings},
          {"max_input_tokens", info.context_length - 1},
          {"max_total_tokens", info.context_length},
          {"validation_workers", 1},
          {"max_client_batch_size", 1},
          {"router", "bothy"},
          {"version", info.version},
          {"sha", nullptr},
          {"docker_label", nullptr}};
}

Result<TokenizeRequest> ParseTokenize(const json::object& object) {
  const Fields body(object);
  return TokenizeRequest{.text = TRY(body.NeedString("inputs")),
                         .add_special_tokens = TRY(body.Bool("add_special_tokens")).value_or(true)};
}

json::array TokenizeBody(std::span<const TextToken> tokens) {
  json::array out;
  for (const TextToken& token : tokens) {
    out.push_back({{"id", token.id}, {"text", JsonText(token.text)}, {"start", token.start}, {"stop", token.stop}});
  }
  return out;
}

Result<void> CheckTask(std::string_view pipeline_tag) {
  if (pipeline_tag.empty() || pipeline_tag == "text-generation") return {};
  return Fail(ErrorCode::kUnimplemented, "the task {} is not here yet: models of it cannot be asked", pipeline_tag);
}

}  // namespace bothy::api::tgi
