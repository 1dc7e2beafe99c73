// POST /v1/responses, answered: output items, and the sequence of events by which they grow.
#pragma once

#include <optional>
#include <string>

#include "serve/answer.h"

namespace bothy::api::openai {

class ResponsesFormat : public serve::AnswerFormat {
 public:
  // `repeated`: what the response repeats of the request.
  explicit ResponsesFormat(json::object repeated) : repeated_(std::move(repeated)) {}

  std::string Whole(const serve::AnswerHead& head, const serve::Answer& answer, const serve::Summary& summary) override;
  std::string Start(const serve::AnswerHead& head) override;
  std::string Event(const serve::ChatEvent& event) override;
  std::string End(const serve::Summary& summary) override;
  std::string Failed(const Error& error) override;

 private:
  enum class Kind { kText, kReasoning, kCall };
  // The output item that is being written.
  struct Item {
    Kind kind;
    std::string id;
    std::string text;  // of a call: its arguments
    std::string call_id, name;
    json::array log_probs;
  };

  std::string Send(std::string_view type, json::object fields);
  json::object Response(std::string_view status, json::value usage) const;
  std::string Open(Kind kind, std::string_view call_id = "", std::string_view name = "");
  std::string Close();
  std::string Add(Kind kind, const std::string& text, const serve::ChatEvent& event);

  std::string ItemId(Kind kind, size_t index) const;
  static json::object ItemBody(const Item& item, std::string_view status);
  static json::object PartBody(const Item& item);

  json::object repeated_;
  serve::AnswerHead head_;
  size_t sequence_ = 0;
  json::array output_;  // items that are done
  std::optional<Item> item_;
  serve::AnswerEnd end_;
};

}  // namespace bothy::api::openai
