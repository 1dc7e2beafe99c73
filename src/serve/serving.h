// Where hub and engine meet: finds the model that a request names, by the rights of who asks, and keeps it loaded.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/hub.h"
#include "serve/model_pool.h"

namespace bothy::serve {

class Serving {  // Safe to use from several threads, once it is set up.
 public:
  struct Options {
    ModelPool::Options pool;
    std::string default_model;  // what answers requests that name none; where empty, the only local model
  };
  // The hub must outlive it.
  Serving(Hub& hub, Options options);

  // A model beside the hub's, of a file or folder: `name` is what requests call it. kAlreadyExists.
  Result<void> AddLocal(const std::string& name, const std::filesystem::path& path);

  struct Found {
    std::string name;  // as it is shown
    ModelPlace place;
  };
  // `name` as in a request: ns/name[@revision][:file or quantization], a local model's, or none ("", "tgi", "dummy",
  // "default"). kNotFound for what is not there and for what the actor may not know of; kUnauthenticated,
  // kPermissionDenied where the gate is in the way.
  Result<Found> Find(const Actor& actor, std::string_view name) const;

  std::vector<std::string> LocalNames() const;
  ModelPool& pool() { return pool_; }

 private:
  Result<Found> FindInHub(const Actor& actor, const std::string& name) const;

  Hub& hub_;
  const std::string default_model_;
  std::map<std::string, std::filesystem::path, std::less<>> local_;
  ModelPool pool_;
};

}  // namespace bothy::serve
