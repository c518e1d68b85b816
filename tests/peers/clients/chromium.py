"""Chromium without a window: a page with a video that is played and sought, forwards and back; what is shown is the right picture. The
index of the video stands at its end, so that it is read by ranges from the beginning."""

import base64
import http.server
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from check import check, main, same, sha256

SECONDS = 60  # what all that the page does may take
LENGTH = 120  # seconds of the video: one cluster each
PER_SECOND = 5  # frames
PADDING = 400_000  # octets in each cluster: more in all than a browser reads ahead

# Key frames of VP8 of 16 by 16 pixels, each of one colour: the content of the chunk `VP8 ` of a WebP that Chromium's canvas makes.
FRAMES = {
    "red": "kAEAnQEqEAAQAALATCWgAnS6AAOYAP7uQx/ubHOLcFf/bQ//Wh/+tD/pQAA=",
    "green": "0AEAnQEqEAAQAALATCWgAnS6AfgAA7AA/t1Ef/PzO7cX9Vv/r0fz0fz0f44QAA==",
    "blue": "sAEAnQEqEAAQAALATCWgAnQBDv4C7AD++EcqP/bQ//9tD//20P+o7wbJFOSAAA==",
    "yellow": "cAEAnQEqEAAQAALATCWgAnQBQAAA/vNLl/7dn//t2f/+3Z/17c7VsfgAAAA=",
}

# Element identifiers of Matroska.
EBML, SEGMENT, SEEK_HEAD, SEEK, INFO, TRACKS, TRACK, VIDEO = "1A45DFA3 18538067 114D9B74 4DBB 1549A966 1654AE6B AE E0".split()
CLUSTER, TIMESTAMP, SIMPLE_BLOCK, VOID, CUES, CUE, CUE_POSITIONS = "1F43B675 E7 A3 EC 1C53BB6B BB B7".split()


def element(identifier, content):
    """An EBML element: a number is eight octets, a list is what is in it."""
    if isinstance(content, str):
        content = content.encode()
    elif isinstance(content, int):
        content = content.to_bytes(8, "big")
    elif isinstance(content, list):
        content = b"".join(content)
    return bytes.fromhex(identifier) + (len(content) | 1 << 56).to_bytes(8, "big") + content


def cluster(second):
    frame = base64.b64decode(list(FRAMES.values())[second % len(FRAMES)])
    content = [element(TIMESTAMP, 1000 * second)]
    for number in range(PER_SECOND):
        # Track 1, milliseconds behind the cluster's time, and the mark of a key frame.
        head = b"\x81" + (number * 1000 // PER_SECOND).to_bytes(2, "big") + b"\x80"
        content.append(element(SIMPLE_BLOCK, head + frame))
    return element(CLUSTER, content + [element(VOID, os.urandom(PADDING))])


def webm():
    """The octets of a video: WebM, a profile of Matroska (RFC 9559)."""
    head = element(EBML, [element("4282", "webm"), element("4287", 4), element("4285", 2)])
    # Times are in milliseconds; the duration is a floating-point number, here of eight octets.
    duration = bytes.fromhex("40fd4c0000000000")
    same(120_000, LENGTH * 1000)
    info = element(INFO, [element("2AD7B1", 1_000_000), element("4489", duration), element("4D80", "a"), element("5741", "a")])
    size = [element("B0", 16), element("BA", 16)]
    track = [element("D7", 1), element("73C5", 1), element("83", 1), element("86", "V_VP8"), element(VIDEO, size)]
    tracks = element(TRACKS, [element(TRACK, track)])

    def seek_head(positions):
        seeks = [[element("53AB", bytes.fromhex(what)), element("53AC", at)] for what, at in positions]
        return element(SEEK_HEAD, [element(SEEK, seek) for seek in seeks])

    parts = [b"", info, tracks] + [cluster(second) for second in range(LENGTH)]
    at, starts = len(seek_head([(INFO, 0), (TRACKS, 0), (CUES, 0)])), []
    for part in parts[1:]:
        starts.append(at)
        at += len(part)
    parts[0] = seek_head([(INFO, starts[0]), (TRACKS, starts[1]), (CUES, at)])
    cues = []
    for second, start in enumerate(starts[2:]):
        positions = element(CUE_POSITIONS, [element("F7", 1), element("F1", start)])
        cues.append(element(CUE, [element("B3", 1000 * second), positions]))
    return head + element(SEGMENT, parts + [element(CUES, cues)])


PAGE = """<!DOCTYPE html>
<title>A video</title>
<video src="video.webm" muted preload="metadata" width="160" height="160"></video>
<script>
const video = document.querySelector("video");
const report = { played: [], shown: {} };
const event = (name) => new Promise((resolve, reject) => {
  video.addEventListener(name, resolve, { once: true });
  video.addEventListener("error", () => reject(video.error.message), { once: true });
});
const until = async (time) => { while (video.currentTime < time) await event("timeupdate"); };
const colours = { "255,0,0": "red", "0,255,0": "green", "0,0,255": "blue", "255,255,0": "yellow" };

// The frame of this time is there to be drawn: that may be some time behind `seeked`.
const frame = (time) => new Promise((resolve) => video.requestVideoFrameCallback((_, { mediaTime }) =>
  resolve(mediaTime <= time && time < mediaTime + 0.5 ? undefined : frame(time))));

// The colour that is shown, to the nearest corner of the cube of colours.
function shown() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 16, 16);
  const corner = [...context.getImageData(8, 8, 1, 1).data].slice(0, 3).map((part) => (part > 127 ? 255 : 0));
  return colours[corner] ?? `another: ${corner}`;
}

async function sum(blob) {
  const octets = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}

async function run() {
  if (video.readyState < 1) await event("loadedmetadata");
  report.duration = video.duration;
  report.size = `${video.videoWidth} ${video.videoHeight}`;
  await video.play();
  await until(1);
  video.pause();
  report.played.push("from the beginning");
  for (const time of SEEKS) {
    const there = frame(time);
    video.currentTime = time;
    await Promise.all([event("seeked"), there]);
    report.shown[time] = shown();
  }
  video.currentTime = video.duration - 1;
  await Promise.all([video.play(), event("ended")]);
  report.played.push("to the end");
  report.whole = await sum(await (await fetch("video.webm")).blob());
  const pieces = [];
  for (const range of ["0-9999999", "10000000-10000000", "10000001-"]) {
    const answer = await fetch("video.webm", { headers: { Range: "bytes=" + range }, cache: "no-store" });
    pieces.push(await answer.blob());
  }
  report.pieces = await sum(new Blob(pieces));
}

const tell = () => fetch("http://127.0.0.1:" + location.search.slice(1), { method: "POST", mode: "no-cors", body: JSON.stringify(report) });
run().catch((error) => { report.error = String(error); }).then(tell);
</script>
"""

# Far ahead, the last second, back behind what was read, what has been read; each in the middle of a frame.
SEEKS = [LENGTH - 9.9, LENGTH - 0.9, 60.1, 3.1, 61.1]


# A page that says what the other one needs.
PROBE = """<script>
document.write(document.createElement("video").canPlayType("video/webm; codecs=vp8"), " ",
  typeof HTMLVideoElement.prototype.requestVideoFrameCallback);
</script>"""


def version():
    if shutil.which("chromium") is None:
        print("chromium is not installed (Debian package chromium)")
        sys.exit(77)
    page = "data:text/html;base64," + base64.b64encode(PROBE.encode()).decode()
    with tempfile.TemporaryDirectory() as profile:
        probe = command(profile) + ["--dump-dom", page]
        shown = subprocess.run(["timeout", "60"] + probe, capture_output=True, text=True)
    if "probably function" not in shown.stdout:
        print("chromium does not start without a window, or does not play WebM (Debian package chromium)")
        sys.exit(77)
    return subprocess.run(["chromium", "--version"], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def command(profile):
    flags = "headless no-sandbox disable-gpu disable-quic no-first-run "
    flags += "disable-background-networking disable-component-update disable-sync"
    command = ["chromium"] + ["--" + flag for flag in flags.split()]
    command += ["--disable-dev-shm-usage", "--no-proxy-server", "--autoplay-policy=no-user-gesture-required"]
    return command + ["--user-data-dir=" + profile]


def report_of(page):
    """What the page has to say, once it has done everything."""
    reports = queue.Queue()

    class Taker(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            reports.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with open(os.path.join(os.environ["SCRATCH"], "chromium.err"), "wb") as log:
            profile = os.path.join(os.environ["SCRATCH"], "profile")
            browser = subprocess.Popen(command(profile) + [f"{page}?{server.server_port}"], stdout=log, stderr=log)
            try:
                return json.loads(reports.get(timeout=SECONDS))
            finally:
                browser.terminate()
                try:
                    browser.wait(10)
                except subprocess.TimeoutExpired:
                    browser.kill()
                    browser.wait()
                server.shutdown()
                thread.join()


def statuses(target, from_here):
    """What FILES says that it answered for this target. It says so when an answer is over: behind a proxy, some time later."""
    with open(os.environ["LOG"], encoding="utf-8") as log:
        log.seek(from_here)
        return re.findall(rf"^\S+ (\d+) GET {re.escape(target)} ", log.read(), re.MULTILINE)


def checks():
    content = webm()
    own = os.environ["OWN"]
    for name, octets in [("video.webm", content), ("page.html", PAGE.replace("SEEKS", json.dumps(SEEKS)).encode())]:
        path = os.path.join(own, name)
        with open(path, "wb") as file:
            file.write(octets)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    from_here = os.path.getsize(os.environ["LOG"])
    got = {}

    @check(f"a video of {LENGTH} s in {len(content)} octets is played from its beginning and to its end")
    def _():
        got.update(report_of(os.environ["FILES"] + "/own/page.html"))
        same(None, got.get("error"))
        same((LENGTH, "16 16"), (got["duration"], got["size"]))
        same(["from the beginning", "to the end"], got["played"])

    @check(f"it is sought: at {', '.join(map(str, SEEKS))} s it shows the picture of that second")
    def _():
        names = list(FRAMES)
        same({str(at): names[int(at) % len(names)] for at in SEEKS}, got["shown"])

    @check("all of it by fetch, and in three ranges")
    def _():
        same(sha256(content), got["whole"], "all of it:")
        same(sha256(content), got["pieces"], "in three ranges:")

    @check("three or more of the answers are 206")
    def _():
        for _ in range(200):
            answers = statuses("/own/video.webm", from_here)
            if answers.count("206") >= 3:
                return
            time.sleep(0.05)
        raise AssertionError(f"they are {answers}")


main(version, checks)
