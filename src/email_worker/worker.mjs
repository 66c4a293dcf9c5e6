/**
 * The Email Worker: Cloudflare runs it for every mail, and it hands the mail to KaisouMail's `POST /api/inbound`.
 *
 * It ends in one of three ways. It returns only when KaisouMail says the mail is stored. It rejects for good only what
 * KaisouMail refuses for good. Whatever else happens is thrown: Cloudflare answers the sending server with 421, and
 * that tries again later; a mail handed over twice is stored once. The contract: docs/reference/inbound.md.
 *
 * Nothing is logged here. What is thrown ends in Cloudflare's log: it never holds a secret or anything of the mail.
 *
 * @typedef {object} Env
 * @property {string} [KAISOUMAIL_URL] Where KaisouMail answers, such as `https://mail.example.com`.
 * @property {string} [INBOUND_SECRET] What its INBOUND_SECRET is.
 * @property {string} [INBOUND_TIMEOUT_SECONDS] Longest that one hand-over may take; 60 when it is not set.
 */

// Below the 100 s after which Cloudflare's own proxy gives up on an origin, and well below the 300 s a signature is
// good for; long enough for 25 MiB over a line of 4 Mbit/s.
const TIMEOUT_SECONDS = 60;
// An answer of KaisouMail has less than 200 bytes. Who answers more is somebody else.
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
    // The signature stands before the body and covers all of it, and the stream can be read only once: so the whole
    // mail is kept, once, in one buffer. Cloudflare takes mails of up to 25 MiB and gives a Worker 128 MB.
    const raw = await new Response(message.raw).arrayBuffer();
    const response = await fetch(url, {
      method: "POST",
      headers: await signedHeaders(message, raw, secret),
      body: raw,
      redirect: "manual", // a redirect is not followed: the mail goes to KaisouMail or nowhere
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

/** @param {Response} response What it says in KaisouMail's words; undefined where it does not. */
async function answerOf(response) {
  const text = await shortBody(response);
  try {
    const said = JSON.parse(text);
    return { outcome: said?.outcome, code: said?.details?.code, error: oneLine(said?.error) };
  } catch {
    return {}; // no JSON: no answer of KaisouMail's
  }
}

/** @param {Response} response Its body as text; empty when it is longer than MAX_ANSWER_BYTES, which ends the reading. */
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

/** @param {unknown} said Any text; fit for one line of SMTP when it comes back. */
function oneLine(said) {
  return typeof said === "string" ? said.replace(/[^\x20-\x7e]+/g, " ").slice(0, MAX_REASON_CHARACTERS).trim() : "";
}

/** @param {ArrayBuffer} bytes */
function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
