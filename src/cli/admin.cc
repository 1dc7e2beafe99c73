// bothy admin: users, organizations and tokens, beside a running server or without one.
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/command.h"
#include "cli/hub_options.h"
#include "cli/terminal.h"

namespace bothy::cli {
namespace {

// Without showing what is typed.
std::string AskPassword(const std::string& prompt) {
  termios before{};
  const bool hidden = tcgetattr(STDIN_FILENO, &before) == 0;
  if (hidden) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  fmt::print(stderr, "{}: ", prompt);
  std::string line;
  std::getline(std::cin, line);
  if (hidden) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  fmt::print(stderr, "\n");
  return line;
}

struct UserOptions {
  HubPlace place;
  NewUser user;
  bool password_stdin = false;
};

// From standard input, from the terminal, or nothing: then one is generated and shown.
Result<std::optional<std::string>> PasswordFor(const UserOptions& options) {
  if (options.password_stdin) {
    std::string password;
    if (!std::getline(std::cin, password)) return Fail(ErrorCode::kUsage, "--password-stdin: standard input is empty");
    return password;
  }
  if (!IsTerminal(STDIN_FILENO)) return std::nullopt;
  std::string password = AskPassword("Password of " + options.user.name + " (empty: one is generated)");
  if (password.empty()) return std::nullopt;
  if (AskPassword("Once more") != password) return Fail(ErrorCode::kUsage, "the two passwords differ");
  return password;
}

Result<void> CreateUser(UserOptions options) {
  const auto hub = TRY(OpenHub(options.place));
  options.user.password = TRY(PasswordFor(options));
  const CreatedUser created = TRY(hub->accounts().Create(options.user, Cause::Operator()));
  fmt::print(stderr, "made the {} {}\n", created.user.administrator ? "administrator" : "user", created.user.name);
  if (!created.password.empty()) {
    fmt::print(stderr, "their password, which is shown only now:\n");
    fmt::print("{}\n", created.password);
  }
  return {};
}

struct OrganizationOptions {
  HubPlace place;
  NewOrganization organization;
  std::vector<std::string> members;  // "ada:admin"
};

Result<void> CreateOrganization(OrganizationOptions options) {
  for (const std::string& text : options.members) {
    const size_t colon = text.find(':');
    const auto role = colon == std::string::npos ? std::nullopt : FindOrganizationRole(text.substr(colon + 1));
    if (!role) {
      return Fail(ErrorCode::kUsage,
                  "--member: expected USER:ROLE, with admin, write, contributor or read, found \"{}\"", text);
    }
    options.organization.members.push_back({text.substr(0, colon), *role});
  }
  const auto hub = TRY(OpenHub(options.place));
  const Organization made = TRY(hub->organizations().Create(options.organization, Cause::Operator()));
  fmt::print(stderr, "made the organization {}\n", made.name);
  return {};
}

struct TokenOptions {
  HubPlace place;
  std::string user;
  std::string role = "read";
  std::string name;
  int64_t days = 0;
};

Result<void> CreateToken(const TokenOptions& options) {
  const auto role = FindTokenRole(options.role);
  if (!role || *role == TokenRole::kFineGrained) {
    return Fail(ErrorCode::kUsage, "--role: expected read or write, found \"{}\"", options.role);
  }
  const auto hub = TRY(OpenHub(options.place));
  const User user = TRY(hub->accounts().Find(options.user));
  NewToken token = {.user_id = user.id,
                    .name = options.name.empty() ? "made by the operator" : options.name,
                    .role = *role,
                    .scopes = {},
                    .expires_at = {}};
  if (options.days > 0) token.expires_at = hub->now() + std::chrono::days(options.days);
  fmt::print("{}\n", TRY(hub->tokens().Create(token, Cause::Operator())).secret);
  return {};
}

void AddUser(CLI::App& admin, Runner& runner) {
  auto options = std::make_shared<UserOptions>();
  CLI::App* user = admin.add_subcommand("user", "Users");
  user->require_subcommand(1);
  CLI::App* app = user->add_subcommand("create", "Make a user");
  app->add_option("name", options->user.name, "The user's name")->required();
  app->add_flag("--admin", options->user.administrator, "An administrator of the whole hub");
  app->add_option("--full-name", options->user.full_name, "As people read it");
  app->add_option("--email", options->user.email, "An address");
  app->add_flag("--password-stdin", options->password_stdin, "The password is the first line of standard input");
  AddHubOptions(*app, options->place);
  app->footer(
      "Without a terminal and without --password-stdin a password is generated and printed.\n\n"
      "Example:\n  bothy admin user create ada --admin --full-name 'Ada Lovelace'");
  runner.Set(app, [options] { return CreateUser(*options); });
}

void AddOrganization(CLI::App& admin, Runner& runner) {
  auto options = std::make_shared<OrganizationOptions>();
  CLI::App* organization = admin.add_subcommand("org", "Organizations");
  organization->require_subcommand(1);
  CLI::App* app = organization->add_subcommand("create", "Make an organization");
  app->add_option("name", options->organization.name, "Its name")->required();
  app->add_option("--full-name", options->organization.full_name, "As people read it");
  app->add_option("--member", options->members, "USER:ROLE, with admin, write, contributor or read")
      ->allow_extra_args(false);
  app->add_flag("--private-by-default", options->organization.private_by_default,
                "New repositories are private where nobody says otherwise");
  AddHubOptions(*app, options->place);
  app->footer("Example:\n  bothy admin org create lab --member ada:admin --member bob:write");
  runner.Set(app, [options] { return CreateOrganization(*options); });
}

void AddToken(CLI::App& admin, Runner& runner) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App* token = admin.add_subcommand("token", "Access tokens");
  token->require_subcommand(1);
  CLI::App* app = token->add_subcommand("create", "Make a token, and print it alone on standard output");
  app->add_option("user", options->user, "Whose")->required();
  app->add_option("--role", options->role, "read or write");
  app->add_option("--name", options->name, "By which its user knows it");
  app->add_option("--days", options->days, "How long it is good for (0: for ever)")->check(CLI::Range(0, 36500));
  AddHubOptions(*app, options->place);
  app->footer("Example:\n  export HF_TOKEN=$(bothy admin token create ada --role write)");
  runner.Set(app, [options] { return CreateToken(*options); });
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(admin)(CLI::App& root, Runner& runner) {
  CLI::App* app = root.add_subcommand("admin", "Manage the hub's users, organizations and tokens");
  app->require_subcommand(1);
  AddUser(*app, runner);
  AddOrganization(*app, runner);
  AddToken(*app, runner);
  app->footer("Example:\n  bothy admin user create ada --admin");
}
