// What every subcommand of the program shares. A subcommand is one file: it says BOTHY_SUBCOMMAND(name) at the start of
// a line and defines that function, which adds the subcommand with its options; nothing else is edited.
//
//   BOTHY_SUBCOMMAND(inspect)(CLI::App& root, Runner& runner) {
//     auto options = std::make_shared<Options>();
//     CLI::App* app = root.add_subcommand("inspect", "Show what a model file holds");
//     app->add_option("path", options->path, "A model")->required();
//     app->footer("Example:\n  bothy inspect model.gguf");
//     runner.Set(app, [options] { return Run(*options); });
//   }
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace bothy::cli {

// What runs after the command line has been read without mistakes.
class Runner {
 public:
  using Action = std::function<Result<int>()>;  // the exit code, where nothing has failed
  // `action` gives a Result<void>, or a Result<int> where there is more to tell than that it is done.
  template <class Function>
  void Set(CLI::App* app, Function action) {
    app->callback([this, action = std::move(action)] {
      if constexpr (std::is_same_v<std::invoke_result_t<const Function&>, Result<int>>) {
        action_ = action;
      } else {
        action_ = [action]() -> Result<int> {
          TRY(action());
          return 0;
        };
      }
    });
  }
  const Action& action() const { return action_; }

 private:
  Action action_;
};

#define BOTHY_SUBCOMMAND_ENTRY(name) void Add_##name(CLI::App& root, Runner& runner);
#include "cli_subcommands.inc"
#undef BOTHY_SUBCOMMAND_ENTRY

}  // namespace bothy::cli

#define BOTHY_SUBCOMMAND(name) void bothy::cli::Add_##name
