#include "net/server.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <list>
#include <mutex>
#include <system_error>

#include "net/connection.h"
#include "net/loop.h"
#include "net/tls.h"

namespace bothy::net {
namespace {

constexpr int kBacklog = 4096;               // the system's own limit is the lower one
constexpr int kMaxRefusals = 100;            // clients that are being told of a 503 at the same time
constexpr size_t kMaxWaitingReads = 10'000;  // for a file worker
constexpr auto kRefusalTime = std::chrono::milliseconds(1000);
constexpr auto kNoDescriptorPause = std::chrono::milliseconds(100);

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 62\r\nRetry-After: 5\r\n"
    "Connection: close\r\n\r\n{\"error\":\"the server has too many connections, try again soon\"}";

std::string SystemError(int error) { return std::generic_category().message(error); }

IpAddress AddressOf(const sockaddr_storage& storage) {
  IpAddress address;
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
  } else {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    address.bytes[10] = address.bytes[11] = 0xff;
    std::memcpy(address.bytes.data() + 12, &v4.sin_addr, 4);
  }
  return address;
}

std::string HostAndPort(const sockaddr_storage& storage) {
  const auto port = ntohs(storage.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(storage).sin6_port
                                                        : reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  const std::string address = AddressOf(storage).Text();
  return storage.ss_family == AF_INET6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

// A socket that listens at "host:port" or "[address]:port".
Result<int> Listen(const std::string& where) {
  const size_t colon = where.rfind(':');
  if (colon == std::string::npos)
    return Fail(ErrorCode::kInvalidArgument, "\"{}\" has no port: host:port is meant", where);
  std::string host = where.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.empty() ? nullptr : host.c_str(), where.c_str() + colon + 1, &hints, &found);
  if (error != 0) return Fail(ErrorCode::kInvalidArgument, "cannot listen at {}: {}", where, gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  const int listener = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (listener >= 0) setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listener < 0 || bind(listener, found->ai_addr, found->ai_addrlen) != 0 || listen(listener, kBacklog) != 0) {
    const std::string why = SystemError(errno);
    if (listener >= 0) close(listener);
    return Fail(ErrorCode::kUnavailable, "cannot listen at {}: {}", where, why);
  }
  return listener;
}

}  // namespace

struct Server::Impl {
  // A network thread and the connections that live on it.
  struct Thread {
    Loop loop;
    std::list<Connection*> connections;  // on the loop's thread only
  };

  Impl(ServerOptions o, Handler h)
      : options(std::move(o)),
        handler(std::move(h)),
        file_workers(std::max(1, options.file_threads), kMaxWaitingReads),
        context{options, handler, file_workers, draining} {}

  const ServerOptions options;
  const Handler handler;
  std::atomic<bool> draining = false;
  WorkerPool file_workers;
  ConnectionContext context;
  std::vector<std::string> addresses;
  int port = 0;
  std::list<SocketWatch*> listeners;  // on the first thread only
  std::mutex tls_mutex;
  std::shared_ptr<const TlsContext> tls;

  std::mutex mutex;
  std::condition_variable ended;
  int accepting = 0;  // accept loops, under the mutex as the rest
  int served = 0;     // connections that have been accepted and are not over
  int refusals = 0;
  size_t next_thread = 0;
  std::vector<std::unique_ptr<Thread>> threads;

  Task<void> Accept(int listening);
  Task<void> ServeConnection(Thread& thread, int socket, IpAddress peer);
  Task<void> RefuseConnection(Loop& loop, int socket);
  void OnAllThreads(const std::function<void(Connection&)>& action);

  void Ended(int& count) {
    const std::lock_guard lock(mutex);
    count--;
    ended.notify_all();
  }
};

Task<void> Server::Impl::Accept(int listening) {
  Loop& loop = threads[0]->loop;
  auto listener = std::make_unique<SocketWatch>(loop, listening);
  const auto place = listeners.insert(listeners.end(), listener.get());
  while (!draining) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const int socket = accept4(listening, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        const auto outcome = co_await listener->Wait(SocketWatch::kRead, Deadline::max());
        if (outcome != SocketWatch::Outcome::kReady) break;
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        co_await loop.Sleep(kNoDescriptorPause);  // others must end first
      }
      continue;
    }
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::unique_lock lock(mutex);
    if (served >= options.max_connections) {
      if (refusals >= kMaxRefusals || !options.certificate.empty()) {
        close(socket);
        continue;
      }
      refusals++;
      lock.unlock();
      Spawn(RefuseConnection(loop, socket));
      continue;
    }
    served++;
    Thread& thread = *threads[next_thread++ % threads.size()];
    lock.unlock();
    thread.loop.PostFunction(
        [this, &thread, socket, peer = AddressOf(storage)] { Spawn(ServeConnection(thread, socket, peer)); });
  }
  listeners.erase(place);
  listener.reset();  // closed before anybody is told that it is
  Ended(accepting);
}

Task<void> Server::Impl::ServeConnection(Thread& thread, int socket, IpAddress peer) {
  {
    std::shared_ptr<const TlsContext> tls_now;
    {
      const std::lock_guard lock(tls_mutex);
      tls_now = tls;
    }
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    getsockname(socket, reinterpret_cast<sockaddr*>(&local), &size);
    auto stream = tls_now ? tls_now->Accept(thread.loop, socket) : std::make_unique<TcpStream>(thread.loop, socket);
    if (stream) {
      Connection connection(context, std::move(stream), peer, HostAndPort(local), tls_now != nullptr);
      const auto place = thread.connections.insert(thread.connections.end(), &connection);
      if (draining) connection.EndIfIdle();
      co_await connection.Serve();
      thread.connections.erase(place);
    }
  }
  Ended(served);
}

Task<void> Server::Impl::RefuseConnection(Loop& loop, int socket) {
  {
    TcpStream stream(loop, socket);
    const auto written = co_await stream.Write(AsBytes(kBusy), kRefusalTime);
    if (written) {
      stream.EndWriting();
      const Deadline deadline = After(kRefusalTime);
      std::byte scratch[512];
      for (;;) {
        const auto read = co_await stream.Read(scratch, deadline);
        if (!read || *read == 0 || std::chrono::steady_clock::now() > deadline) break;
      }
    }
  }
  Ended(refusals);
}

void Server::Impl::OnAllThreads(const std::function<void(Connection&)>& action) {
  for (const auto& thread : threads) {
    thread->loop.PostFunction([&connections = thread->connections, action] {
      for (Connection* connection : connections) action(*connection);
    });
  }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { Stop(std::chrono::milliseconds(0)); }

const std::vector<std::string>& Server::addresses() const { return impl_->addresses; }
int Server::port() const { return impl_->port; }

int Server::connections() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->served;
}

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
  const ServerOptions& given = impl->options;
  if (given.listen.empty()) return Fail(ErrorCode::kInvalidArgument, "nowhere to listen");
  const bool encrypted = !given.certificate.empty();
  if (encrypted) impl->tls = TRY(TlsContext::Load(given.certificate, given.key));
  for (int i = 0; i < std::max(1, given.network_threads); i++)
    impl->threads.push_back(std::make_unique<Impl::Thread>());

  std::vector<int> sockets;
  for (const std::string& where : given.listen) {
    const auto listener = Listen(where);
    if (!listener) {
      for (const int socket : sockets) close(socket);
      return tl::unexpected<Error>(listener.error());
    }
    sockets.push_back(*listener);
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    getsockname(*listener, reinterpret_cast<sockaddr*>(&local), &size);
    const std::string host_and_port = HostAndPort(local);
    impl->addresses.push_back(fmt::format("{}://{}", encrypted ? "https" : "http", host_and_port));
    if (impl->port == 0) impl->port = std::atoi(host_and_port.c_str() + host_and_port.rfind(':') + 1);
  }
  impl->accepting = static_cast<int>(sockets.size());
  impl->threads[0]->loop.PostFunction([state = impl.get(), sockets] {
    for (const int socket : sockets) Spawn(state->Accept(socket));
  });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Result<void> Server::ReloadCertificate() {
  if (impl_->options.certificate.empty()) return Fail(ErrorCode::kFailedPrecondition, "the server has no certificate");
  auto loaded = TRY(TlsContext::Load(impl_->options.certificate, impl_->options.key));
  const std::lock_guard lock(impl_->tls_mutex);
  impl_->tls = std::move(loaded);
  return {};
}

void Server::Stop(std::chrono::milliseconds grace) {
  Impl& state = *impl_;
  state.draining = true;
  state.threads[0]->loop.PostFunction([&state] {
    for (SocketWatch* listener : state.listeners) listener->Cancel();
  });
  state.OnAllThreads([](Connection& connection) { connection.EndIfIdle(); });
  std::unique_lock lock(state.mutex);
  const auto over = [&] { return state.accepting == 0 && state.served == 0 && state.refusals == 0; };
  if (!state.ended.wait_for(lock, grace, over)) {
    lock.unlock();
    state.OnAllThreads([](Connection& connection) { connection.Cut(); });
    lock.lock();
    state.ended.wait(lock, over);
  }
}

}  // namespace bothy::net
