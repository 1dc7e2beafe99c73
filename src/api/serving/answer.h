// Answers a request that any protocol has understood: finds and loads its model, lets it answer, and writes what comes
// in the protocol's form, whole or as it comes.
#pragma once

#include "api/route.h"
#include "serve/answer.h"

namespace bothy::api {

// An error in the protocol's form.
using RefuseFunction = net::Response (*)(const Error& error);

net::Task<net::Response> AnswerExchange(Call& call, serve::Exchange exchange, RefuseFunction refuse);

// Of a request for an answer. A conversation that fills a context of a million tokens has some 5 MB.
inline constexpr uint64_t kMaxRequestBytes = uint64_t{32} << 20;

// A handler: reads the body, has `kParse` understand it, and answers.
using ParseFunction = Result<serve::Exchange> (*)(const json::object& body);
net::Task<net::Response> AnswerBody(Call& call, ParseFunction parse, RefuseFunction refuse);
template <ParseFunction kParse, RefuseFunction kRefuse>
net::Task<net::Response> Answer(Call& call) {
  return AnswerBody(call, kParse, kRefuse);
}

}  // namespace bothy::api
