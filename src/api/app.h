// The hub behind HTTP: finds the route of a request, who asks and what for, decides by the rights table, and lets the
// route's handler answer.
#pragma once

#include <memory>

#include "hub/hub.h"
#include "hub/rate_limit.h"
#include "hub/upstream.h"
#include "net/cors.h"
#include "net/request.h"
#include "net/response.h"

namespace bothy::serve {
class Serving;
}

namespace bothy::api {

struct AppOptions {
  int workers = 16;                   // threads for what blocks: disk, database, hashing
  size_t max_waiting = 4096;          // requests that wait for one; then clients get a 503
  int64_t requests_quota = 20'000;    // in five minutes, of a user or of an address without one
  net::CorsOptions cors;              // pages of which origins may use the hub
  Upstream* upstream = nullptr;       // where what is not here may be; outlives the app
  int waiting_for_upstream = 64;      // threads for who waits for its answers, and as many for its files
  serve::Serving* serving = nullptr;  // runs models; outlives the app
  int waiting_for_models = 16;        // threads for who waits for a model to be loaded
  std::string model_key;              // lets ask the models that the server was started with
  bool models_open = false;           // anybody may ask them, whatever key they send
};

class App {
 public:
  App(Hub& hub, const AppOptions& options);
  ~App();
  App(const App&) = delete;

  net::Task<net::Response> Handle(net::Request& request);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace bothy::api
