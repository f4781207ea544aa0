/* The connection against a socket of the test's own, with a clock of the test's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, Message, Phase, Refused, Socket } from "../src/protocol";

class Fake implements Socket {
  sent: any[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: any }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

function world() {
  const w = {
    sockets: [] as Fake[], now: 0, timers: [] as { at: number; fn: () => void; id: number }[], phases: [] as Phase[], opened: [] as Message[],
    messages: [] as Message[], refused: [] as string[],
    get socket() {
      return w.sockets[w.sockets.length - 1];
    },
    pass(ms: number) {
      const end = w.now + ms;
      for (;;) {
        const next = w.timers.filter((x) => x.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        w.timers = w.timers.filter((x) => x !== next);
        w.now = Math.max(w.now, next.at);
        next.fn();
      }
      w.now = end;
    },
  };
  let id = 1;
  const c = new Connection(
    {
      open: () => {
        const s = new Fake();
        w.sockets.push(s);
        return s;
      },
      ident: "test", now: () => w.now, random: () => 0.5,
      later: (ms, fn) => {
        w.timers.push({ at: w.now + ms, fn, id });
        return id++;
      },
      cancel: (n) => {
        w.timers = w.timers.filter((x) => x.id !== n);
      },
    },
    { phase: (p) => w.phases.push(p), opened: (m) => w.opened.push(m), message: (m) => w.messages.push(m), refused: (r) => w.refused.push(r) },
  );
  return { w, c };
}

function live() {
  const { w, c } = world();
  c.login({ how: "token", token: "T" });
  w.socket.onopen!();
  w.socket.says({ class: "login_token", replyid: 0, userid: "1", ipbxid: "xivo" });
  return { w, c };
}

test("a login by password, and what it says", () => {
  const { w, c } = world();
  c.login({ how: "password", user: "alice", password: "secret", remember: true });
  w.socket.onopen!();
  assert.equal(w.socket.sent[0].class, "login_password");
  assert.equal(w.socket.sent[0].userlogin, "alice");
  w.socket.says({ class: "login_password", userid: "1", ipbxid: "xivo", token: "T" });
  assert.deepEqual(w.phases, ["connecting", "live"]);
  assert.equal(w.opened[0].token, "T");
});

test("a refused login ends it, with the reason", () => {
  const { w, c } = world();
  c.login({ how: "token", token: "T" });
  w.socket.onopen!();
  w.socket.says({ class: "login_token", error_string: "login_token_invalid" });
  assert.deepEqual(w.refused, ["login_token_invalid"]);
  assert.equal(c.phase, "logged_out");
  w.pass(60000);
  assert.equal(w.sockets.length, 1);
});

test("answers find their questions, in any order", async () => {
  const { w, c } = live();
  const a = c.ask("history");
  const b = c.ask("directory", { pattern: "x" });
  const [one, two] = w.socket.sent.slice(-2);
  w.socket.says({ class: "directory", replyid: two.commandid, n: 2 });
  w.socket.says({ class: "history", replyid: one.commandid, n: 1 });
  assert.equal((await a).n, 1);
  assert.equal((await b).n, 2);
});

test("an error, a warning, silence and a loss are refusals", async () => {
  const { w, c } = live();
  const reasons: string[] = [];
  const note = (p: Promise<any>) => p.catch((e: Refused) => reasons.push(e.reason));
  const asked = [note(c.ask("a")), note(c.ask("b")), note(c.ask("c"))];
  const [a, b] = w.socket.sent.slice(-3);
  w.socket.says({ class: "a", replyid: a.commandid, error_string: "busy" });
  w.socket.says({ class: "b", replyid: b.commandid, warning_string: "unallowed" });
  w.pass(15001);
  asked.push(note(c.ask("d")));
  w.socket.onclose!();
  await Promise.all(asked);
  assert.deepEqual(reasons, ["busy", "unallowed", "timeout", "lost"]);
  await c.ask("e").catch((e: Refused) => assert.equal(e.reason, "lost"));
});

test("an answer in parts resets the patience for the next", async () => {
  const { w, c } = live();
  const parts: number[] = [];
  const all = c.askParts("getlist", {}, (m) => {
    parts.push(m.n);
    return m.last;
  });
  const { commandid } = w.socket.sent.slice(-1)[0];
  for (let n = 0; n < 3; n++) {
    w.socket.says({ class: "getlist", replyid: commandid, n, last: n === 2 });
    w.pass(10000);
  }
  assert.equal((await all).n, 2);
  assert.deepEqual(parts, [0, 1, 2]);
});

test("later lines of a command go to who asked", async () => {
  const { w, c } = live();
  const late: any[] = [];
  const first = c.ask("ipbxcommand", {}, (m) => late.push(m));
  const { commandid } = w.socket.sent.slice(-1)[0];
  w.socket.says({ class: "ipbxcommand", replyid: commandid, ipbxreply: "ok" });
  await first;
  w.socket.says({ class: "ipbxcommand", replyid: commandid, response: "ko" });
  assert.equal(late[0].response, "ko");
});

test("after a loss it comes back by itself, slower each time, and at once when it is asked to look", () => {
  const { w, c } = live();
  w.socket.onclose!();
  assert.equal(c.phase, "lost");
  const times: number[] = [];
  for (let i = 0; i < 4; i++) {
    const n = w.sockets.length;
    const since = w.now;
    while (w.sockets.length === n) w.pass(50);
    times.push(w.now - since);
    w.socket.onclose!();
  }
  assert.ok(times[0] < 500 && times[3] > times[1], String(times));
  const n = w.sockets.length;
  c.probe();
  assert.equal(w.sockets.length, n + 1);
  w.socket.onopen!();
  w.socket.says({ class: "login_token", userid: "1", ipbxid: "xivo" });
  assert.equal(c.phase, "live");
});

test("a state that starts anew is waited for", () => {
  const { w, c } = live();
  w.socket.onclose!();
  w.pass(1000);
  w.socket.onopen!();
  w.socket.says({ class: "login_token", error_string: "noconn" });
  w.socket.onclose?.();
  assert.deepEqual(w.refused, []);
  assert.equal(c.phase, "lost");
});

test("a network that is gone without a word is noticed", () => {
  const { w, c } = live();
  w.pass(23000);
  assert.equal(w.socket.sent.slice(-1)[0].class, "keepalive");
  w.socket.says({ class: "keepalive" });
  w.pass(5000);
  assert.equal(c.phase, "live");
  w.pass(31000);
  assert.equal(c.phase, "lost");
});

test("what is no message of the protocol is passed over", () => {
  const { w } = live();
  for (const data of ["", "{", "[]", "null", "7", '{"class":7}', new ArrayBuffer(3)]) w.socket.onmessage!({ data });
  w.socket.says({ class: "of_the_future", anything: 1 });
  assert.equal(w.messages.length, 1);
});

test("being logged out by an administrator is the end", () => {
  const { w, c } = live();
  w.socket.says({ class: "disconnect", type: "force" });
  assert.deepEqual(w.refused, ["disconnected"]);
  w.pass(60000);
  assert.equal(w.sockets.length, 1);
  assert.equal(c.phase, "logged_out");
});
