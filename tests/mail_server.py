"""A mail server for tests: takes messages, or holds one back until it is told."""

import email
import email.policy
import socketserver
import threading


class Handler(socketserver.StreamRequestHandler):
    """Speak as much SMTP as Django's client asks for."""

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self.say("220 here")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"QUIT":
                self.say("221 bye")
                return
            if word == b"DATA":
                self.say("354 go on")
                self.take()
            else:
                self.say("250 fine")

    def take(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line)
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        with self.server.lock:
            self.server.seen.append(message)
            place = len(self.server.seen)
        if place == self.server.hold_at:
            # Not accepted: whoever waits for the answer is killed meanwhile.
            self.server.holding.set()
            self.server.go_on.wait(60)
            return
        self.server.accepted.append(message)
        self.say("250 taken")


class MailServer(socketserver.ThreadingTCPServer):
    """``accepted`` are the messages that were taken; number ``hold_at`` is not."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, hold_at=0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.hold_at = hold_at
        self.seen, self.accepted = [], []
        self.holding, self.go_on = threading.Event(), threading.Event()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.go_on.set()
        self.shutdown()
        self.server_close()
