#include "api/protocol/forms.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/utf8.h"

namespace bothy::api {
namespace {

constexpr double kNever = -9999;

json::object LikelyLogProb(std::string_view text, float log_prob) {
  return {{"token", JsonText(text)}, {"logprob", JsonLogProb(log_prob)}, {"bytes", JsonBytes(text)}};
}

}  // namespace

std::string SentEvent(const json::value& data, std::string_view event) {
  if (event.empty()) return fmt::format("data: {}\n\n", json::Serialize(data));
  return fmt::format("event: {}\ndata: {}\n\n", event, json::Serialize(data));
}

json::string JsonText(std::string_view bytes) {
  if (FindInvalidUtf8(bytes) == std::string_view::npos) return json::string(bytes);
  std::string text;
  AppendRepairedUtf8(text, bytes);
  return json::string(text);
}

json::array JsonBytes(std::string_view bytes) {
  json::array out;
  for (const char c : bytes) out.push_back(static_cast<unsigned char>(c));
  return out;
}

double JsonLogProb(float log_prob) { return std::max<double>(log_prob, kNever); }

json::object TokenLogProbs(const serve::TokenDetail& token) {
  json::object out = LikelyLogProb(token.text, token.log_prob.value_or(0));
  json::array top;
  for (const serve::LikelyToken& likely : token.top) top.push_back(LikelyLogProb(likely.text, likely.log_prob));
  out["top_logprobs"] = std::move(top);
  return out;
}

net::Status AnswerStatus(const Error& error) {
  switch (error.code) {
    case ErrorCode::kOutOfRange: return net::Status::kBadRequest;          // more than the context holds
    case ErrorCode::kCorrupt: return net::Status::kInternalServerError;    // the model's files
    case ErrorCode::kFailedPrecondition: return net::Status::kBadRequest;  // a model that cannot do this
    default: return net::StatusOf(error.code);
  }
}

std::string_view AnswerMessage(const Error& error) {
  return error.code == ErrorCode::kInternal ? std::string_view("internal error") : std::string_view(error.message);
}

}  // namespace bothy::api
