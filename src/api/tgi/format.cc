#include "api/tgi/format.h"

#include <fmt/format.h>

#include <utility>

#include "api/protocol/forms.h"

namespace bothy::api::tgi {
namespace {

std::string_view FinishReason(serve::StopReason reason) {
  switch (reason) {
    case serve::StopReason::kLength:
    case serve::StopReason::kContext: return "length";
    case serve::StopReason::kStopString: return "stop_sequence";
    default: return "eos_token";
  }
}

json::object TokenBody(const serve::TokenDetail& token) {
  return {{"id", token.id},
          {"text", JsonText(token.text)},
          {"logprob", JsonLogProb(token.log_prob.value_or(0))},
          {"special", token.special}};
}

json::array TopBody(const serve::TokenDetail& token) {
  json::array top;
  for (const serve::LikelyToken& likely : token.top) {
    top.push_back({{"id", likely.id},
                   {"text", JsonText(likely.text)},
                   {"logprob", JsonLogProb(likely.log_prob)},
                   {"special", false}});
  }
  return top;
}

json::array PrefillBody(const serve::Answer& answer) {
  json::array prefill;
  if (answer.prompt_tokens.empty()) return prefill;
  for (const serve::TokenDetail& token : answer.prompt_tokens[0]) {
    prefill.push_back({{"id", token.id},
                       {"text", JsonText(token.text)},
                       {"logprob", token.log_prob ? json::value(JsonLogProb(*token.log_prob)) : json::value()}});
  }
  return prefill;
}

// Clients read "data:" with or without the blank; the server of that name writes none.
std::string Sent(const json::object& object) { return fmt::format("data:{}\n\n", json::Serialize(object)); }

}  // namespace

std::string Format::Whole(const serve::AnswerHead&, const serve::Answer& answer, const serve::Summary& summary) {
  const serve::Choice choice = answer.choices.empty() ? serve::Choice() : answer.choices[0];
  json::object body{{"generated_text", choice.text}};
  if (options_.details) {
    json::array tokens, top;
    for (const serve::TokenDetail& token : choice.tokens) {
      tokens.push_back(TokenBody(token));
      if (options_.top_tokens) top.push_back(TopBody(token));
    }
    json::object details{{"finish_reason", FinishReason(choice.end.reason)},
                         {"generated_tokens", summary.usage.completion_tokens},
                         {"seed", summary.seed},
                         {"prefill", PrefillBody(answer)},
                         {"tokens", std::move(tokens)}};
    if (options_.top_tokens) details["top_tokens"] = std::move(top);
    body["details"] = std::move(details);
  }
  if (!options_.list) return json::Serialize(body);
  json::array list;
  list.push_back(std::move(body));
  return json::Serialize(list);
}

std::string Format::Start(const serve::AnswerHead& head) {
  prompt_tokens_ = head.prompt_tokens;
  return "";
}

std::string Format::Send(const serve::TokenDetail& token, json::value text, json::value details) {
  json::object body{{"index", ++index_}, {"token", TokenBody(token)}};
  if (options_.top_tokens) body["top_tokens"] = TopBody(token);
  body["generated_text"] = std::move(text);
  body["details"] = std::move(details);
  return Sent(body);
}

std::string Format::Event(const serve::ChatEvent& event) {
  if (const auto* text = std::get_if<serve::TextDelta>(&event.what)) text_ += text->text;
  if (const auto* end = std::get_if<serve::AnswerEnd>(&event.what)) end_ = *end;
  std::string out;
  for (const serve::TokenDetail& token : event.tokens) {
    if (last_) out += Send(*last_, nullptr, nullptr);
    last_ = token;
  }
  return out;
}

std::string Format::End(const serve::Summary& summary) {
  json::object details{{"finish_reason", FinishReason(end_.reason)},
                       {"generated_tokens", summary.usage.completion_tokens},
                       {"seed", summary.seed},
                       {"input_length", prompt_tokens_}};
  // An answer without a token has nothing to send it with but an empty one.
  return Send(last_.value_or(serve::TokenDetail{.special = true}), json::value(json::string(text_)),
              std::move(details));
}

std::string Format::Failed(const Error& error) { return Sent(ErrorBody(error)); }

namespace {

struct Refusal {
  net::Status status;
  std::string_view type;
};

Refusal RefusalOf(const Error& error) {
  const net::Status status = AnswerStatus(error);
  if (error.code == ErrorCode::kUnavailable || status == net::Status::kTooManyRequests) {
    return {net::Status::kTooManyRequests, "overloaded"};
  }
  if (status == net::Status::kBadRequest) return {net::Status::kUnprocessableContent, "validation"};
  return {status, net::Number(status) < 500 || status == net::Status::kNotImplemented ? "validation" : "generation"};
}

}  // namespace

json::object ErrorBody(const Error& error) {
  return {{"error", JsonText(AnswerMessage(error))}, {"error_type", RefusalOf(error).type}};
}

net::Response Refuse(const Error& error) {
  return net::Response::Json(RefusalOf(error).status, json::Serialize(ErrorBody(error)));
}

}  // namespace bothy::api::tgi
