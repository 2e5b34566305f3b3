#!/usr/bin/env python3
"""What curl cannot do for scripts/test-nginx.sh: listen on a WebSocket, and ask without end over kept connections.

  front-client.py listen URL COOKIE QUERY       subscribes over a WebSocket; prints `ready`, then each message, one a line
  front-client.py load URL SECONDS THREADS [COOKIE]   asks by GET; prints {"requests", "failed", "reopened", "examples"}

A request over a kept connection that the server closed meanwhile, before a byte of an answer, is asked once more over a
new one, as browsers do (RFC 9110, 9.2.2); those are counted as reopened. Certificates are not looked at.
"""

import base64
import http.client
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
from urllib.parse import urlsplit

FROM = ("127.0.0.2", 0)


def insecure():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Socket:
    """Enough of RFC 6455 for a client."""

    def __init__(self, url, cookie):
        at = urlsplit(url)
        plain = socket.create_connection((at.hostname, at.port), timeout=90, source_address=FROM)
        self.stream = insecure().wrap_socket(plain, server_hostname=at.hostname)
        self.file = self.stream.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {at.path} HTTP/1.1", f"Host: {at.netloc}", f"Origin: https://{at.netloc}", "Connection: Upgrade",
            "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Protocol: graphql-transport-ws", f"Cookie: {cookie}", "", "",
        ]
        self.stream.sendall("\r\n".join(lines).encode())
        status = self.file.readline().decode()
        if " 101 " not in status:
            raise SystemExit(f"no WebSocket: {status.strip()}")
        while self.file.readline().strip():
            pass

    def send(self, payload, opcode=1):
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        length = len(data)
        head = bytes([0x80 | opcode, 0x80 | length]) if length < 126 else bytes([0x80 | opcode, 0xFE]) + struct.pack(">H", length)
        mask = os.urandom(4)
        self.stream.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def receive(self):
        """The next message; None at the end. Pings are answered and told as {"type": "(ping)"}."""
        head = self.file.read(2)
        if len(head) < 2:
            return None
        opcode, length = head[0] & 15, head[1] & 127
        if length == 126:
            (length,) = struct.unpack(">H", self.file.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self.file.read(8))
        data = self.file.read(length)
        if opcode == 9:
            self.send(data, opcode=10)
            return {"type": "(ping)"}
        return None if opcode == 8 else json.loads(data)


def listen(url, cookie, query):
    connection = Socket(url, cookie)
    connection.send({"type": "connection_init"})
    while (message := connection.receive()) is not None:
        if message["type"] == "ping":
            connection.send({"type": "pong"})
        if message["type"] == "connection_ack":
            connection.send({"id": "1", "type": "subscribe", "payload": {"query": query}})
            print("ready", flush=True)
        else:
            print(json.dumps(message), flush=True)


class Load:
    def __init__(self, url, seconds, cookie):
        self.at, self.end, self.cookie = urlsplit(url), time.monotonic() + seconds, cookie
        self.requests = self.failed = self.reopened = 0
        self.examples, self.lock = [], threading.Lock()

    def open(self):
        return http.client.HTTPSConnection(self.at.hostname, self.at.port, timeout=20, context=insecure(), source_address=FROM)

    def ask(self, connection):
        path = self.at.path + (f"?{self.at.query}" if self.at.query else "")
        connection.request("GET", path, headers={"Cookie": self.cookie, "Accept": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def run(self):
        connection, kept = self.open(), False
        while time.monotonic() < self.end:
            outcome = None
            try:
                outcome = self.ask(connection)
                kept = True
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError) as error:
                connection.close()
                connection = self.open()
                if kept:
                    kept = False
                    with self.lock:
                        self.reopened += 1
                    continue
                outcome = repr(error)
            except OSError as error:
                connection.close()
                connection, kept, outcome = self.open(), False, repr(error)
            with self.lock:
                self.requests += 1
                if outcome != 200:
                    self.failed += 1
                    if len(self.examples) < 5:
                        self.examples.append(outcome)

    def report(self):
        return {"requests": self.requests, "failed": self.failed, "reopened": self.reopened, "examples": self.examples}


def load(url, seconds, threads, cookie=""):
    work = Load(url, float(seconds), cookie)
    crowd = [threading.Thread(target=work.run) for _ in range(int(threads))]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    print(json.dumps(work.report()))


if __name__ == "__main__":
    commands = {"listen": listen, "load": load}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        raise SystemExit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
