import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../src/store";

function world() {
  const asked: string[] = [];
  const frames: (() => void)[] = [];
  const store = new Store((fn) => frames.push(fn), (list, ipbx, id) => asked.push(`${list}:${ipbx}/${id}`));
  const draw = () => frames.splice(0).forEach((fn) => fn());
  const list = (fn: string, listname: string, fields: object) => store.message({ class: "getlist", function: fn, listname, tipbxid: "x", ...fields });
  const snapshot = store.beginSnapshot();
  snapshot.part({ class: "getlist", listname: "users", tipbxid: "x", objects: [
    { tid: "1", config: { fullname: "Alice Martin", mobilephonenumber: "06" }, status: { availstate: "available", connection: "yes" } },
    { tid: "2", config: { fullname: "Bob" }, status: {} }] });
  snapshot.part({ class: "getlist", listname: "phones", tipbxid: "x", objects: [
    { tid: "11", config: { iduserfeatures: 1, number: "1001", identity: "PJSIP/alice" }, status: { hintstatus: "0", channels: [] } },
    { tid: "12", config: { iduserfeatures: 2, number: "1002" }, status: { hintstatus: "0", channels: [] } }] });
  snapshot.finish(store);
  draw();
  return { store, asked, draw, list };
}

test("the line of a colleague follows phone and channel", () => {
  const { store, draw, list } = world();
  assert.equal(store.card("x/1")!.lamp, "idle");
  list("updatestatus", "channels", { tid: "PJSIP/alice-1", status: { commstatus: "ringing", direction: "in", peer_name: "Bob", peer_number: "1002", timestamp: 5 } });
  list("updatestatus", "phones", { tid: "11", status: { channels: ["PJSIP/alice-1"], hintstatus: "8" } });
  draw();
  assert.deepEqual([store.card("x/1")!.lamp, store.card("x/1")!.peer, store.card("x/1")!.incoming], ["ringing", "Bob", true]);
  list("updatestatus", "channels", { tid: "PJSIP/alice-1", status: { commstatus: "linked-called" } });
  list("updatestatus", "phones", { tid: "11", status: { hintstatus: "1" } });
  draw();
  assert.equal(store.card("x/1")!.lamp, "busy");
  list("updatestatus", "channels", { tid: "PJSIP/alice-1", status: { holded: true } });
  draw();
  assert.equal(store.card("x/1")!.lamp, "hold");
  list("delconfig", "channels", { list: ["PJSIP/alice-1"] });
  list("updatestatus", "phones", { tid: "11", status: { channels: [], hintstatus: "0" } });
  draw();
  assert.deepEqual([store.card("x/1")!.lamp, store.card("x/1")!.channel], ["idle", ""]);
});

test("what has not changed is not drawn", () => {
  const { store, draw, list } = world();
  let mine = 0, other = 0, lamps = 0;
  store.subscribe("card:x/1", () => mine++);
  store.subscribe("card:x/2", () => other++);
  store.subscribe("lamps", () => lamps++);
  for (let i = 0; i < 10; i++) list("updatestatus", "phones", { tid: "11", status: { hintstatus: String(i % 2) } });
  draw();
  list("updateconfig", "users", { tid: "1", config: { ringseconds: 7 } });
  draw();
  assert.deepEqual([mine, other, lamps], [1, 0, 1]);
});

test("a new object is asked for, one that goes is gone", () => {
  const { store, asked, draw, list } = world();
  list("addconfig", "users", { list: ["3"] });
  assert.deepEqual(asked, ["users:x/3"]);
  list("updateconfig", "users", { tid: "3", config: { fullname: "Carol" } });
  draw();
  assert.equal(store.card("x/3")!.name, "Carol");
  list("delconfig", "users", { list: ["3"] });
  draw();
  assert.equal(store.card("x/3"), undefined);
  list("updateconfig", "users", { tid: "4", config: {} }); // the answer about one that went meanwhile
  draw();
  assert.equal(store.get("users", "x/4"), undefined);
});

test("changes that come before the end of a snapshot are not lost", () => {
  const { store, draw } = world();
  const snapshot = store.beginSnapshot();
  snapshot.part({ class: "getlist", listname: "users", tipbxid: "x", objects: [{ tid: "9", config: { fullname: "Old" }, status: {} }] });
  snapshot.change({ class: "getlist", function: "updateconfig", listname: "users", tipbxid: "x", tid: "9", config: { fullname: "New" } });
  assert.equal(store.get("users", "x/1")!.fullname, "Alice Martin"); // what was is shown until then
  snapshot.finish(store);
  draw();
  assert.deepEqual([store.get("users", "x/9")!.fullname, store.get("users", "x/1")], ["New", undefined]);
});

test("messages of no use change nothing", () => {
  const { store, draw } = world();
  const before = store.all("users").length;
  for (const m of [{}, { listname: "users" }, { listname: "nothing", tipbxid: "x", function: "addconfig", list: ["1"] }, { listname: "users", tipbxid: "x", function: "updateconfig", tid: "1" },
    { listname: "users", tipbxid: "x", function: "addconfig", list: "1" }, { listname: "__proto__", tipbxid: "x", function: "updatestatus", tid: "1", status: { a: 1 } }])
    store.message({ class: "getlist", ...m });
  draw();
  assert.equal(store.all("users").length, before);
});

test("2,000 cards and 50 changes in a frame take little", () => {
  const store = new Store((fn) => fn(), () => {});
  const snapshot = store.beginSnapshot();
  const ids = Array.from({ length: 2000 }, (_, i) => String(i + 1));
  snapshot.part({ class: "getlist", listname: "users", tipbxid: "x", objects: ids.map((tid) => ({ tid, config: { fullname: "User " + tid }, status: {} })) });
  snapshot.part({ class: "getlist", listname: "phones", tipbxid: "x", objects: ids.map((tid) => ({ tid, config: { iduserfeatures: tid, number: tid }, status: { hintstatus: "0", channels: [] } })) });
  snapshot.finish(store);
  const since = performance.now();
  for (let i = 0; i < 50; i++) store.message({ class: "getlist", function: "updatestatus", listname: "phones", tipbxid: "x", tid: ids[i * 7], status: { hintstatus: "8" } });
  assert.ok(performance.now() - since < 500);
  assert.equal(store.card("x/8")!.lamp, "ringing");
});
