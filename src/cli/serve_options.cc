#include "cli/serve_options.h"

#include <CLI/CLI.hpp>

namespace bothy::cli {

void AddServeOptions(CLI::App& app, ServeOptions& options) {
  AddHubOptions(app, options.place, UnknownKeys::kRefused);
  app.add_option("--listen", options.listen, "HOST:PORT, also several; port 0 picks a free one")
      ->delimiter(',')
      ->capture_default_str()
      ->envname("BOTHY_LISTEN");
  app.add_option("--public-url", options.public_url, "The address that clients use, where it is another")
      ->envname("BOTHY_PUBLIC_URL");
  app.add_option("--trusted-proxy", options.trusted_proxies, "Addresses or networks whose X-Forwarded fields count")
      ->delimiter(',')
      ->envname("BOTHY_TRUSTED_PROXY");
  app.add_option("--cors-origin", options.cors_origins, "Origins whose pages may use the hub; * is every one")
      ->delimiter(',')
      ->capture_default_str()
      ->envname("BOTHY_CORS_ORIGIN");
  app.add_option("--certificate", options.certificate, "PEM file: serve https")->envname("BOTHY_CERTIFICATE");
  app.add_option("--key", options.key, "PEM file with the certificate's key")->envname("BOTHY_KEY");
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->capture_default_str()
      ->envname("BOTHY_LOG_LEVEL");
  app.add_option("--grace", options.grace_seconds, "Seconds that what is under way may take to finish at the end")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str()
      ->envname("BOTHY_GRACE");
  app.add_option("--gc-every", options.gc_hours, "Hours between removals of what no repository refers to; 0: never")
      ->check(CLI::Range(0, 8760))
      ->capture_default_str()
      ->envname("BOTHY_GC_EVERY");
  app.add_option("--mirror-upstream", options.mirror_upstream,
                 "The address of another hub: what is asked for and not here is brought from there")
      ->envname("BOTHY_MIRROR_UPSTREAM");
  app.add_option("--mirror-token-file", options.mirror_token_file, "A file with a token for that hub")
      ->envname("BOTHY_MIRROR_TOKEN_FILE");
  app.add_option("--mirror-refresh", options.mirror_refresh_seconds,
                 "Seconds for which a revision from there is taken for the newest")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str()
      ->envname("BOTHY_MIRROR_REFRESH");
  app.add_option("models", options.models,
                 "Models to run beside the hub's own: folders, files, or ns/name[@revision][:file] in the cache");
  app.add_option("--alias", options.aliases, "What requests call these models, in their order")->delimiter(',');
  app.add_option("--api-key", options.api_key,
                 "A key that lets clients ask MODELS; needed where others reach the server")
      ->envname("BOTHY_API_KEY");
  app.add_option("--default-model", options.default_model, "What answers requests that name no model")
      ->envname("BOTHY_DEFAULT_MODEL");
  app.add_option("-t,--threads", options.threads, "Threads to run models with; 0: one for each core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str()
      ->envname("BOTHY_THREADS");
  app.add_option("--models-memory", options.models_memory,
                 "Memory for all models that are loaded; 0: three quarters of the machine's")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str()
      ->envname("BOTHY_MODELS_MEMORY");
  app.add_option("--cache-memory", options.cache_memory, "Memory for each model's cache of keys and values")
      ->transform(CLI::AsSizeValue(false))
      ->default_str("4GiB")
      ->envname("BOTHY_CACHE_MEMORY");
  app.add_option("-c,--context", options.context, "Tokens of context for each answer; 0: what the model was made for")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str()
      ->envname("BOTHY_CONTEXT");
}

}  // namespace bothy::cli
