/**
 * Makes an `email` event of an HTTP request, and an HTTP answer of how the Email Worker ended.
 *
 * workerd has no door for `email` events, and the one of Cloudflare's development tools takes no more than 1 MiB and
 * answers 200 whatever the Worker did. The body is the raw mail; the header `x-event` is JSON in percent-encoding:
 * `from`, `to`, `rawSize` and `env`, the Worker's bindings.
 */
import worker from "worker.mjs";

export default {
  async fetch(request) {
    const { from, to, rawSize, env } = JSON.parse(decodeURIComponent(request.headers.get("x-event")));
    const rejections = [];
    const raw = request.body ?? new Blob([]).stream();
    const message = { from, to, rawSize, raw, headers: new Headers(), setReject: (reason) => rejections.push(reason) };
    try {
      await worker.email(message, env);
    } catch (error) {
      return Response.json({ end: "threw", text: String(error), rejections });
    }
    return Response.json({ end: rejections.length > 0 ? "rejected" : "accepted", text: rejections.join("; "), rejections });
  },
};
