"""judge.mjs once more, with Python's libraries: the same calls, the same lines. See there.

judges/LIBRARY.py has verify(body, headers, requested_url, profile, secret, …).
"""
import base64
import http.server
import importlib
import json
import re
import ssl
import sys
import threading
import time
from unittest import mock

STALE_SECONDS = 301

assignments = {}
seen = set()
one_at_a_time = threading.Lock()  # the judges share a clock, and the lines an output


def refuses(judge, request, later=0):
    real = time.time
    with mock.patch("time.time", lambda: real() + later):
        try:
            judge.verify(**request)
            return False
        except Exception:  # whatever a library throws is a refusal
            return True


def replaced_at(text, at):
    return text[:at] + ("2" if text[at] == "1" else "1") + text[at + 1:]


def tampered(body):
    text = body.decode()
    if '"ciphertext":' in text:
        return re.sub('"ciphertext":"[^"]*"', lambda box: replaced_at(box[0], len(box[0]) // 2), text).encode()
    changed = re.sub(r"[0-9a-zA-Z](?=[^0-9a-zA-Z]*$)", lambda c: "2" if c[0] == "1" else "1", text, count=1)
    if changed == text:
        raise ValueError("nothing to tamper with")
    return changed.encode()


def other_secret(secret):
    return replaced_at(secret, len(secret) // 2)


def verdict(path, requested_url, headers, body):
    assignment = assignments[path]
    judge = importlib.import_module("judges." + assignment["library"])
    request = {**assignment, "body": body, "headers": headers, "requested_url": requested_url}
    line = {"path": path, "library": assignment["library"], "headers": headers,
            "body": base64.b64encode(body).decode()}
    try:
        line["event"] = judge.verify(**request)
        line["accepted"] = True
    except Exception as error:
        line["accepted"] = False
        line["problem"] = repr(error)
    line["refused"] = {
        "tampered_body": refuses(judge, {**request, "body": tampered(body)}),
        "wrong_secret": refuses(judge, {**request, "secret": other_secret(request["secret"])}),
        "stale": refuses(judge, request, later=STALE_SECONDS),
    }
    return line


def status_for(path, delivery_id, accepted):
    if assignments[path].get("strict") and not accepted:
        return 403
    if not path.startswith("/flaky-") or (path, delivery_id) in seen:
        return 204
    seen.add((path, delivery_id))
    return 503


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        return self.rfile.read(int(self.headers["content-length"]))

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if body:
            self.send_header("content-type", "application/jose+json")
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        assignments[self.path] = json.loads(self.body())
        self.answer(204)

    def do_POST(self):
        path = self.path.split("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.body()
        with one_at_a_time:
            requested_url = "https://" + headers["host"] + self.path
            line = verdict(path, requested_url, headers, body)
            print(json.dumps(line), flush=True)
            status = status_for(path, headers.get("idempotency-key"), line["accepted"])
        assignment = assignments[path]
        if line["accepted"] and "answer" in assignment:
            judge = importlib.import_module("judges." + assignment["library"])
            self.answer(200, judge.answer(body=body, headers=headers, **assignment).encode())
        else:
            self.answer(status)

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(json.dumps({"port": server.server_address[1]}), flush=True)
server.serve_forever()
