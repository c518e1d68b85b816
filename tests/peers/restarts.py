#!/usr/bin/env python3
"""Restarts of one of two copies of a server behind HAProxy, without draining, under load: failed GETs with doorstep as the copies
are at most those with nginx as the copies. Once with a connection for each request, and once with connections that HAProxy keeps
and reuses, as it does by default.

    restarts.py DOORSTEP SCRATCH

RESTARTS in the environment is how often each is restarted (5). It prints the lines that run.sh counts."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time

RESTARTS = int(os.environ.get("RESTARTS", "5"))
CLIENTS = 8
SECONDS = 20  # what a start, an end or an answer may take
PAGE = bytes(range(256)) * 4

HAPROXY = """
global
  nbthread 2
defaults
  mode http
  %s
  option redispatch
  retries 3
  timeout connect 1s
  timeout client 20s
  timeout server 20s
listen copies
  bind 127.0.0.1:%d
  default-server check inter 50ms fall 1 rise 1
  server one 127.0.0.1:%d
  server other 127.0.0.1:%d
"""
# How HAProxy uses its connections to the copies.
FORMS = {
    "a connection for each request": "option http-server-close\n  http-reuse never",
    "kept connections": "http-reuse safe",
}

NGINX = """
daemon off;
pid "{folder}/nginx.{port}.pid";
error_log "{folder}/nginx.{port}.log";
worker_processes 2;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path "{folder}/temp.{port}";
  proxy_temp_path "{folder}/temp.{port}";
  fastcgi_temp_path "{folder}/temp.{port}";
  uwsgi_temp_path "{folder}/temp.{port}";
  scgi_temp_path "{folder}/temp.{port}";
  server {{ listen 127.0.0.1:{port}; location / {{ root "{site}"; }} }}
}}
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def started(command, port):
    """The process, once it listens; it never outlives this one."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), SECONDS).close()
            return process
        except OSError:
            time.sleep(0.01)
    process.kill()
    raise RuntimeError(f"{command[0]} does not listen")


class Load:
    """Clients that ask over and over; half of them make a connection for each request."""

    def __init__(self, port):
        self.port, self.is_over = port, False
        self.answered, self.failed = 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.ask, args=(n % 2 == 0,)) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def ask(self, is_fresh):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        while not self.is_over:
            try:
                client.request("GET", "/page.bin", headers={"Connection": "close"} if is_fresh else {})
                answer = client.getresponse()
                body = answer.read()
                failure = None if answer.status == 200 and body == PAGE else f"status {answer.status}"
            except (OSError, http.client.HTTPException) as error:
                client.close()
                failure = repr(error)
            with self.lock:
                self.answered += failure is None
                self.failed += [failure] if failure else []
        client.close()

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(2 * SECONDS)
        return self.failed


def losses(form, command, stop, folder):
    """Failed GETs in these restarts of the two copies, and the answered ones."""
    front, *ports = free_ports(3)
    settings = os.path.join(folder, f"haproxy.{front}.cfg")
    with open(settings, "w") as file:
        file.write(HAPROXY % (form, front, *ports))
    copies, proxy, load = {}, None, None
    try:
        for port in ports:
            copies[port] = started(command(port), port)
        proxy = started(["haproxy", "-db", "-f", settings], front)
        time.sleep(0.3)  # both copies have been checked
        load = Load(front)
        for number in range(RESTARTS):
            port = ports[number % 2]
            time.sleep(0.3)
            copies[port].send_signal(stop)
            copies[port].wait(SECONDS)
            copies[port] = started(command(port), port)
            time.sleep(0.3)  # HAProxy sees that it is back
        return load.end(), load.answered
    finally:
        if load:
            load.end()
        for process in [*copies.values(), *([proxy] if proxy else [])]:
            process.terminate()  # of nginx also the workers
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def main():
    doorstep, folder = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end as well
    site = os.path.join(folder, "restarted")
    os.makedirs(site, exist_ok=True)
    os.chmod(site, 0o755)
    with open(os.path.join(site, "page.bin"), "wb") as file:
        file.write(PAGE)

    def nginx(port):
        settings = os.path.join(folder, f"nginx.{port}.conf")
        with open(settings, "w") as file:
            file.write(NGINX.format(folder=folder, port=port, site=site))
        return ["nginx", "-c", settings, "-e", os.path.join(folder, f"nginx.{port}.log")]

    # Both end gracefully by these.
    for name, form in FORMS.items():
        least, _ = losses(form, nginx, signal.SIGQUIT, folder)
        failed, answered = losses(form, lambda port: [doorstep, "-q", "-p", str(port), site], signal.SIGTERM, folder)
        what = f"{RESTARTS} restarts behind HAProxy, {name}: {len(failed)} of {answered} GETs failed, {len(least)} with nginx"
        print(f"ok restarts: {what}" if len(failed) <= len(least) else f"FAILED restarts: {what}: {failed[:5]}", flush=True)


main()
