/**
 * The Email Worker: Cloudflare runs it for every message, and it sends each to KaisouMail's `POST /api/inbound`.
 *
 * It ends in one of three ways. It returns only when KaisouMail answers that the message is stored. It rejects a
 * message permanently only if KaisouMail does. Anything else is thrown: Cloudflare answers the sending server with
 * 421, which tries again later; a message handed over twice is stored once. The contract: docs/reference/inbound.md.
 *
 * Nothing is logged here. Errors end up in Cloudflare's log: they never contain a secret or any part of the message.
 *
 * @typedef {object} Env
 * @property {string} [KAISOUMAIL_URL] The URL of KaisouMail, such as `https://mail.example.com`.
 * @property {string} [INBOUND_SECRET] The INBOUND_SECRET of KaisouMail.
 * @property {string} [INBOUND_TIMEOUT_SECONDS] The longest time for one hand-over in seconds; 60 when it is not set.
 */

// Below the 100 s after which Cloudflare's own proxy gives up on an origin, and well below the 300 s for which a
// signature is valid; long enough for 25 MiB over a line of 4 Mbit/s.
const TIMEOUT_SECONDS = 60;
// An answer of KaisouMail has less than 200 bytes. A longer one comes from another server.
const MAX_ANSWER_BYTES = 16 * 1024;
const MAX_REASON_CHARACTERS = 200;

const utf8 = new TextEncoder();

export default {
  /**
   * @param {ForwardableEmailMessage} message
   * @param {Env} env
   */
  async email(message, env) {
    const { url, secret, milliseconds } = configuration(env);
    // The signature is sent before the body and covers all of it, and the stream can be read only once: so the whole
    // message is held once, in one buffer. Cloudflare accepts up to 25 MiB and gives a Worker 128 MB of memory.
    const raw = await new Response(message.raw).arrayBuffer();
    const response = await fetch(url, {
      method: "POST",
      headers: await signedHeaders(message, raw, secret),
      body: raw,
      redirect: "manual", // a redirect is not followed: the message goes to KaisouMail or nowhere
      signal: AbortSignal.timeout(milliseconds),
    });
    const answer = await answerOf(response);
    const isStored = answer.outcome === "stored" || answer.outcome === "duplicate";
    if (response.status === 200 && isStored) return;
    const isUnavailable = response.status === 422 && answer.code === "mailbox_unavailable";
    if (!isUnavailable && response.status !== 413) {
      throw new Error(`HTTP ${response.status} from KAISOUMAIL_URL is no word that the mail is stored`);
    }
    message.setReject(answer.error || "Message too large");
  },
};

/** @param {Env} env */
function configuration(env) {
  if (!env.KAISOUMAIL_URL || !URL.canParse("/api/inbound", env.KAISOUMAIL_URL)) {
    throw new Error("KAISOUMAIL_URL is missing or is no URL such as https://mail.example.com");
  }
  if (!env.INBOUND_SECRET) throw new Error("INBOUND_SECRET is missing");
  const seconds = Number(env.INBOUND_TIMEOUT_SECONDS || TIMEOUT_SECONDS);
  if (!(seconds > 0 && seconds <= 300)) throw new Error("INBOUND_TIMEOUT_SECONDS is no number from 0 to 300");
  const url = new URL("/api/inbound", env.KAISOUMAIL_URL);
  return { url, secret: env.INBOUND_SECRET, milliseconds: Math.ceil(seconds * 1000) };
}

/**
 * @param {ForwardableEmailMessage} message
 * @param {ArrayBuffer} raw
 * @param {string} secret
 */
async function signedHeaders(message, raw, secret) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const [from, to, length] = [encodeURIComponent(message.from), encodeURIComponent(message.to), String(raw.byteLength)];
  const digest = hex(await crypto.subtle.digest("SHA-256", raw));
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
  const hmac = async (/** @type {string[]} */ ...lines) =>
    hex(await crypto.subtle.sign("HMAC", key, utf8.encode(lines.join("\n"))));
  return {
    "content-type": "message/rfc822",
    "x-kaisoumail-envelope-from": from,
    "x-kaisoumail-envelope-to": to,
    "x-kaisoumail-timestamp": timestamp,
    "x-kaisoumail-ticket": `${length}:${await hmac("ticket", timestamp, from, to, length)}`, // read before the body
    "x-kaisoumail-signature": await hmac(timestamp, from, to, digest),
  };
}

/** @param {Response} response Returns the fields of an answer of KaisouMail, undefined where they are missing. */
async function answerOf(response) {
  const text = await shortBody(response);
  try {
    const said = JSON.parse(text);
    return { outcome: said?.outcome, code: said?.details?.code, error: oneLine(said?.error) };
  } catch {
    return {}; // not JSON: not an answer of KaisouMail
  }
}

/** @param {Response} response Returns its body as text; above MAX_ANSWER_BYTES empty, and the rest is not read. */
async function shortBody(response) {
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) return ""; // leaving the loop cancels the rest
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

/** @param {unknown} said Returns a text as one line of SMTP; empty for any other value. */
function oneLine(said) {
  return typeof said === "string" ? said.replace(/[^\x20-\x7e]+/g, " ").slice(0, MAX_REASON_CHARACTERS).trim() : "";
}

/** @param {ArrayBuffer} bytes */
function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
