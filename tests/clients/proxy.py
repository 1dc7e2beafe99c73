"""A TCP proxy before a server, which can cut connections after so many bytes."""
import socket
import threading


class Proxy:
    """Forwards to 127.0.0.1:port, and counts the bytes carried either way. cut(after): the next connection that has
    carried so many bytes ends there."""

    def __init__(self, port):
        self.target = port
        self.lock = threading.Lock()
        self.limit = None
        self.cuts = 0
        self.carried = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, after):
        self.limit = after

    def _accept(self):
        while True:
            client = self.listener.accept()[0]
            server = socket.create_connection(("127.0.0.1", self.target))
            carried = [0]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(source, sink, carried), daemon=True).start()

    def _carry(self, source, sink, carried):
        try:
            while data := source.recv(65536):
                left = self._left(carried[0], len(data))
                sink.sendall(data[:left])
                carried[0] += left
                if left < len(data):
                    break
            else:
                sink.shutdown(socket.SHUT_WR)
                return
        except OSError:
            pass  # one of the two is gone: so is the other
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)  # wakes the other thread
            except OSError:
                pass  # it was gone already
            end.close()  # resets it: whoever waits to send learns that nobody reads

    def _left(self, carried, size):
        """How many of these bytes go on."""
        with self.lock:
            if self.limit is not None and carried + size > self.limit:
                size, self.limit = max(0, self.limit - carried), None
                self.cuts += 1
            self.carried += size
        return size
