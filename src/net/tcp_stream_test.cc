#include "net/tcp_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <vector>

#include "base/testing.h"
#include "net/file_slice.h"

namespace bothy::net {
namespace {

constexpr int kEndless = 100'000;  // calls; a test that fails ends nevertheless
constexpr auto kPatience = std::chrono::seconds(30);

// A stream whose peer is always ready: it takes what was written, or gives what will be read, before each call.
class SwiftPeer {
 public:
  SwiftPeer() {
    int sockets[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets) == 0);
    ours = sockets[0];
    theirs_ = sockets[1];
  }
  ~SwiftPeer() { close(theirs_); }

  void Take() {
    while (recv(theirs_, scratch_, sizeof scratch_, 0) > 0) continue;
  }
  void Give(size_t bytes) { CHECK(send(theirs_, scratch_, bytes, 0) == static_cast<ssize_t>(bytes)); }

  int ours;

 private:
  int theirs_;
  std::byte scratch_[64 << 10] = {};
};

using Step = std::function<Task<Result<void>>(TcpStream& stream, SwiftPeer& peer)>;

// How often `step` ran before something else that the loop had to do was done.
Task<Result<int>> StepsUntilOthersRan(Loop& loop, const Step& step) {
  SwiftPeer peer;
  TcpStream stream(loop, peer.ours);
  bool others_ran = false;
  loop.PostFunction([&] { others_ran = true; });
  int steps = 0;
  for (; !others_ran && steps < kEndless; steps++) {
    auto done = co_await step(stream, peer);
    CO_TRY(done);
  }
  co_return steps;
}

int CountSteps(const Step& step) {
  Loop loop;
  const auto steps = RunToCompletion(RunOn(loop, StepsUntilOthersRan(loop, step)));
  EXPECT_OK(steps);
  return steps.value_or(kEndless);
}

// The bounds: a turn of 4 MB, in which a call counts 16 KB more than its bytes.
TEST(TcpStream, AWriterWhosePeerKeepsUpLetsOthersRun) {
  const std::vector<std::byte> piece(48 << 10);
  EXPECT_LE(CountSteps([&](TcpStream& stream, SwiftPeer& peer) -> Task<Result<void>> {
              peer.Take();
              co_return co_await stream.Write(piece, kPatience);
            }),
            65);
}

TEST(TcpStream, AReaderWhosePeerKeepsUpLetsOthersRun) {
  std::vector<std::byte> piece(48 << 10);
  EXPECT_LE(CountSteps([&](TcpStream& stream, SwiftPeer& peer) -> Task<Result<void>> {
              peer.Give(piece.size());
              auto read = co_await stream.Read(piece, After(kPatience));
              CO_TRY(read);
              co_return Result<void>();
            }),
            65);
}

TEST(TcpStream, AFileWhosePeerKeepsUpLetsOthersRun) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  std::ofstream(path) << std::string(48 << 10, 'x');
  const auto file = FileHandle::Open(path);
  ASSERT_OK(file);
  EXPECT_LE(CountSteps([&](TcpStream& stream, SwiftPeer& peer) -> Task<Result<void>> {
              peer.Take();
              auto sent = stream.TrySendFile((*file)->descriptor(), 0, 48 << 10, false);
              if (!CO_TRY(sent)) co_return co_await stream.WaitToWrite(After(kPatience));
              co_return Result<void>();
            }),
            66);
}

TEST(TcpStream, ManySmallCallsAreATurnToo) {
  std::vector<std::byte> byte(1);
  EXPECT_LE(CountSteps([&](TcpStream& stream, SwiftPeer& peer) -> Task<Result<void>> {
              peer.Give(1);
              auto read = co_await stream.Read(byte, After(kPatience));
              CO_TRY(read);
              co_return Result<void>();
            }),
            257);
}

}  // namespace
}  // namespace bothy::net
