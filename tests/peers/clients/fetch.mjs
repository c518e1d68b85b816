// Node's fetch: kept connections, streamed uploads (chunks, because the length is not known), many requests at once.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

const { NAME, FILES, ECHO, CHECKSUM, SITE, MANIFEST } = process.env;
const SECONDS = 60; // what one answer may take

const sha256 = (octets) => createHash("sha256").update(octets).digest("hex");

function same(wanted, got, what) {
  if (String(wanted) !== String(got)) throw new Error(`${what}: wanted '${wanted}' and got '${got}'`);
}

async function check(what, body) {
  try {
    await body();
    console.log(`ok ${NAME}: ${what}`);
  } catch (error) {
    console.error(error);
    console.log(`FAILED ${NAME}: ${what}: ${String(error.cause ?? error).replace(/\s+/g, " ")}`);
  }
}

const ask = (url, settings) => fetch(url, { ...settings, signal: AbortSignal.timeout(SECONDS * 1000) });
const octets = async (answer) => Buffer.from(await answer.arrayBuffer());

// Pieces of odd lengths, from a stream that is asked for one after the other.
function stream(whole, most) {
  let start = 0;
  let length = 1;
  return new ReadableStream({
    pull(controller) {
      if (start >= whole.length) return controller.close();
      controller.enqueue(new Uint8Array(whole.subarray(start, start + length)));
      start += length;
      length = ((length * 7) % most) + 1;
    },
  });
}

async function checks() {
  const files = readFileSync(MANIFEST, "utf8").trimEnd().split("\n").map((line) => {
    const [, size, sum, crc, name] = line.match(/^(\d+) (\w+) (\w+) (.*)$/);
    return { size: Number(size), sum, crc, name, path: "/" + encodeURIComponent(name) };
  });
  const short = files.filter((file) => file.size <= 1048576);

  await check("GET and HEAD of every file, one after the other", async () => {
    for (const file of files) {
      let answer = await ask(FILES + file.path);
      same(`200 ${file.sum}`, `${answer.status} ${sha256(await octets(answer))}`, file.name);
      answer = await ask(FILES + file.path, { method: "HEAD" });
      same(`200 ${file.size} 0`, `${answer.status} ${answer.headers.get("content-length")} ${(await octets(answer)).length}`, file.name);
    }
  });

  await check("every file but the longest, ten times, all at once", async () => {
    const all = Array.from({ length: 10 }, () => short).flat();
    await Promise.all(all.map(async (file) => same(file.sum, sha256(await octets(await ask(FILES + file.path))), file.name)));
  });

  await check("an answer read as it comes", async () => {
    const hash = createHash("sha256");
    const file = files.find((file) => file.size > 1048576);
    for await (const piece of (await ask(FILES + file.path)).body) hash.update(piece);
    same(file.sum, hash.digest("hex"), file.name);
  });

  await check("content by length and from a stream comes back", async () => {
    for (const file of short) {
      const whole = await readFile(`${SITE}/${file.name}`);
      for (const settings of [{ body: whole }, { body: stream(whole, 9001), duplex: "half" }]) {
        const answer = await ask(ECHO + "/", { method: "POST", ...settings });
        same(`200 ${file.sum}`, `${answer.status} ${sha256(await octets(answer))}`, file.name);
      }
    }
  });

  await check("uploads of every file from a stream", async () => {
    for (const file of files) {
      const body = stream(await readFile(`${SITE}/${file.name}`), 150001);
      const answer = await ask(CHECKSUM + "/", { method: "PUT", body, duplex: "half" });
      same(`${file.size} ${file.crc}`, (await answer.text()).split(" ").slice(0, 2).join(" "), file.name);
    }
  });

  await check("fifty requests one after the other share connections: five at most", async () => {
    const addresses = new Set();
    for (let number = 0; number < 50; number++) {
      const answer = await ask(CHECKSUM + "/", { method: "POST", body: `request ${number}` });
      addresses.add((await answer.text()).split(" ")[2]);
    }
    // Behind a proxy these are the proxy's. Node may begin a request before the connection of the last one counts as free again.
    if (addresses.size > 5) throw new Error(`${addresses.size} connections`);
  });

  await check("413 can be read", async () => {
    const answer = await ask(ECHO + "/", { method: "POST", body: new Uint8Array(3_000_000) });
    same(413, answer.status, "status");
    await answer.arrayBuffer();
  });
}

if (process.argv[2] === "version") console.log(`Node ${process.version}, undici ${process.versions.undici}`);
else await checks();
