# The Email Worker on Cloudflare's runtime, reachable on loopback only; see trigger.mjs.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ( name = "email-worker",
      worker = (
        modules = [
          (name = "trigger.mjs", esModule = embed "trigger.mjs"),
          (name = "worker.mjs", esModule = embed "../../src/email_worker/worker.mjs"),
        ],
        compatibilityDate = "2026-11-01",
        globalOutbound = "loopback",
      ) ),
    (name = "loopback", network = (allow = ["private"])),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "email-worker") ],
);
