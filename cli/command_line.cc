#include "cli/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/log.h"
#include "cli/options.h"

namespace sealpost {
namespace {

constexpr const char* kProfileHelp =
    "signing profile: a preset's name, or a file with a custom profile as JSON; by default it is "
    "recognized by the headers";

constexpr const char* kDescription = R"(Sealpost sends webhooks from an outbox in PostgreSQL.

Examples:
  sealpost serve                                  one process with a private PostgreSQL
  sealpost migrate && sealpost dispatcher         one of many on SEALPOST_DATABASE_URL
  sealpost token create --role operator           prints a token for the admin API, once
  sealpost listen --port 9000 --secret-file F     a receiver for development
  sealpost verify --secret-file F < request.txt   checks one captured request
)";

constexpr const char* kFooter = R"(
Exit codes: 0 done, 1 failed, 2 the command line or the configuration is wrong.
`sealpost COMMAND --help` lists a command's flags; docs/CONFIGURATION.md explains every setting.)";

constexpr const char* kSettingsGroup = "Settings (flag > environment > TOML file > default)";

std::string flag_help(const Option& option) {
  std::string text(option.description);
  const std::string_view fallback =
      option.default_text.empty() ? option.default_note : option.default_text;
  text += fmt::format(" [{}; default: {}]", option.environment(), fallback);
  return text;
}

// Holds the parsed texts while CLI11 fills them in; declared before the commands that refer to it.
class CommandLine {
 public:
  CommandLine() : app_(kDescription, "sealpost") {
    app_.footer(kFooter);
    app_.set_version_flag("--version", "sealpost " SEALPOST_VERSION);
    app_.require_subcommand(1);
    add_service("serve", "dispatcher and admin API in one process", serve);
    add_service("dispatcher", "dispatcher only; any number may share a database", dispatcher);
    add_service("admin-api", "admin API only", admin_api);
    add_migrate();
    add_rewrap();
    add_token();
    add_listen();
    add_verify();
    add_healthcheck();
    add_help();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& e) {
      return app_.exit(e);  // --help and --version
    } catch (const CLI::ParseError& e) {
      return usage_error(e);
    }
    return command_();
  }

 private:
  CLI::App* add(const std::string& name, const std::string& description,
                std::function<int()> command) {
    CLI::App* sub = app_.add_subcommand(name, description);
    sub->callback([this, command = std::move(command)] { command_ = command; });
    return sub;
  }

  void add_service(const std::string& name, const std::string& description,
                   int (*command)(const Config&)) {
    CLI::App* sub =
        add(name, description, [this, command] { return command(config(Secrets::needed)); });
    add_settings(*sub);
  }

  void add_settings(CLI::App& sub) {
    sub.add_option("--config", file_, "TOML file with settings [SEALPOST_CONFIG]")
        ->group(kSettingsGroup);
    for (const Option& option : options()) {
      const std::string name(option.name);
      if (option.kind == OptionKind::flag) {
        sub.add_flag_function(
               fmt::format("{0},!--no-{1}", option.flag(), option.flag().substr(2)),
               [this, name](std::int64_t count) { flags_[name] = count > 0 ? "true" : "false"; },
               flag_help(option))
            ->group(kSettingsGroup);
      } else {
        sub.add_option_function<std::string>(
               option.flag(), [this, name](const std::string& text) { flags_[name] = text; },
               flag_help(option))
            ->group(kSettingsGroup);
      }
    }
  }

  void add_migrate() {
    CLI::App* sub = add("migrate", "brings the database's schema up to date",
                        [this] { return migrate(config(), migrate_action_); });
    add_settings(*sub);
    sub->add_subcommand("status", "lists the migrations and whether they are applied")
        ->callback([this] { migrate_action_ = MigrateAction::status; });
    sub->add_subcommand("plan", "prints the SQL that would be run, and runs nothing")
        ->callback([this] { migrate_action_ = MigrateAction::plan; });
    sub->fallthrough();
  }

  void add_rewrap() {
    add_settings(*add("rewrap", "encrypts stored secrets again under the newest master key",
                      [this] { return rewrap(config(Secrets::needed)); }));
  }

  void add_token() {
    CLI::App* sub = app_.add_subcommand("token", "bearer tokens of the admin API");
    sub->require_subcommand(1);
    CLI::App* create = sub->add_subcommand("create", "makes a token and prints it, once");
    create->add_option("--role", token_.role, "admin, operator, producer or readonly")
        ->required()
        ->check(CLI::IsMember({"admin", "operator", "producer", "readonly"}));
    create->add_option("--tenant", token_.tenant,
                       "limits it to one tenant; without it, all tenants");
    create->add_option("--name", token_.name, "what it is for, for the people who list tokens");
    create->callback([this] { command_ = [this] { return token_create(config(), token_); }; });
    add_settings(*create);
  }

  void add_listen() {
    CLI::App* sub =
        add("listen", "a receiver for development: verifies, and prints one line per request",
            [this] { return listen(listen_); });
    sub->add_option("--port", listen_.port, "port; 0 picks a free one and prints it")
        ->required()
        ->check(CLI::Range(0, 65535));
    sub->add_option("--host", listen_.host, "address to listen on")->capture_default_str();
    CLI::Option* secret =
        sub->add_option("--secret", listen_.secret,
                        "signing secret; other users can read it in the process list, "
                        "--secret-file keeps it out of there");
    sub->add_option("--secret-file", listen_.secret_file,
                    "file with the signing secret in its first line")
        ->excludes(secret);
    sub->add_option("--profile", listen_.profile, kProfileHelp);
    sub->add_option(
        "--private-key", listen_.private_key,
        "file with the X25519 private key that opens encrypted bodies: PEM, or base64 or "
        "hexadecimal of its 32 bytes");
    sub->add_option("--status", listen_.status,
                    "answer to requests that verify, or to all without a secret; others "
                    "get 401")
        ->capture_default_str()
        ->check(CLI::Range(200, 599));
    sub->add_flag("--json", listen_.json, "one JSON object per request");
  }

  void add_verify() {
    CLI::App* sub =
        add("verify", "checks one captured request offline; exit 0 if it verifies, 1 if not",
            [this] { return verify(verify_); });
    sub->add_option("--secret-file", verify_.secret_file,
                    "file with the signing secret in its first line")
        ->required();
    sub->add_option("--private-key", verify_.private_key,
                    "file with the X25519 private key that opens an encrypted body");
    CLI::Option* headers = sub->add_option("--headers", verify_.headers,
                                           "file with the headers, \"Name: value\" lines");
    CLI::Option* body = sub->add_option("--body", verify_.body,
                                        "file with the body, byte for byte. Without --headers and "
                                        "--body the raw request is read from stdin");
    headers->needs(body);
    body->needs(headers);
    sub->add_option("--profile", verify_.profile, kProfileHelp);
    sub->add_option("--url", verify_.url,
                    "the URL as the sender has it, for dialects that sign it; by default https://, "
                    "the Host header and the path of the request line");
    sub->add_option("--at", verify_.at, "when it was received, as 2026-11-22T10:15:30Z, or now")
        ->capture_default_str();
    sub->add_option_function<long>(
           "--tolerance",
           [this](long seconds) { verify_.tolerance = std::chrono::seconds(seconds); },
           "seconds that its timestamp may be off")
        ->check(CLI::Range(0, 86'400 * 365))
        ->default_str("300");
  }

  void add_healthcheck() {
    CLI::App* sub =
        app_.add_subcommand("healthcheck", "asks a running process: exit 0 for yes, 1 for no");
    sub->require_subcommand(1);
    for (const auto& [name, question, description] :
         {std::tuple{"live", HealthQuestion::live, "do its threads turn?"},
          std::tuple{"ready", HealthQuestion::ready,
                     "does it reach the database and hold its lease?"}}) {
      CLI::App* ask = sub->add_subcommand(name, description);
      ask->add_option("--address", health_address_,
                      "HOST:PORT to ask; without it, SEALPOST_METRICS_LISTEN");
      add_settings(*ask);
      ask->callback([this, question = question] {
        command_ = [this, question] {
          return healthcheck(health_address_ ? *health_address_ : config().metrics_listen,
                             question);
        };
      });
    }
  }

  void add_help() {
    CLI::App* sub = add("help", "prints this, or a command's help", [this] {
      const auto all = app_.get_subcommands([](const CLI::App*) { return true; });
      for (const CLI::App* command : all) {
        if (command->get_name() == help_about_) return fmt::print("{}", command->help()), kExitOk;
      }
      // Not app_.help(): that would be the help of the command being run, of help itself.
      fmt::print("{}",
                 app_.get_formatter()->make_help(&app_, "sealpost", CLI::AppFormatMode::Normal));
      return kExitOk;
    });
    sub->add_option("command", help_about_, "the command");
  }

  enum class Secrets { not_needed, needed };
  Config config(Secrets secrets = Secrets::not_needed) {
    Config config = load_config({.flags = flags_,
                                 .environment = read_environment(),
                                 .file = file_,
                                 .stderr_is_terminal = isatty(STDERR_FILENO) == 1,
                                 .needs_master_key = secrets == Secrets::needed});
    configure_log({.level = config.log_level, .format = config.log_format});
    return config;
  }

  int usage_error(const CLI::ParseError& error) {
    std::vector<std::string> known;
    for (const CLI::App* sub : app_.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(sub->get_name());
    for (const Option& option : options()) known.push_back(option.flag());
    const std::vector<std::string> unknown = app_.remaining(true);
    for (const std::string& word : unknown) {
      fmt::print(stderr, "sealpost: \"{}\" is unknown. {}\n", word, suggestion(word, known));
    }
    if (unknown.empty()) fmt::print(stderr, "sealpost: {}\n", error.what());
    fmt::print(stderr, "Try: sealpost help\n");
    return kExitUsage;
  }

  CLI::App app_;
  std::function<int()> command_;
  std::map<std::string, std::string> flags_;
  std::optional<std::filesystem::path> file_;
  MigrateAction migrate_action_ = MigrateAction::apply;
  TokenRequest token_;
  ListenOptions listen_;
  VerifyOptions verify_;
  std::optional<std::string> health_address_;
  std::string help_about_;
};

}  // namespace

int run_command_line(int argc, char** argv) { return CommandLine().run(argc, argv); }

}  // namespace sealpost
