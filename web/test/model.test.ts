import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { catalogues } from "../src/i18n";
import * as m from "../src/model";
import { halfHours } from "../src/ui/plot_points";
import { telephoneKey } from "../src/ui/keypad";
import { period, readCalls } from "../src/views/history";
import { readPeople } from "../src/views/people_rows";

const channel = (fields: object) => ({ key: "x/c", id: "c", ipbx: "x", ...fields });

test("names and numbers of the other end", () => {
  assert.deepEqual(m.partyOf(channel({ peerdisplay: "Alice Martin (1001)" })), { name: "Alice Martin", number: "1001" });
  assert.deepEqual(m.partyOf(channel({ peerdisplay: "0123456789" })), { name: "", number: "0123456789" });
  assert.deepEqual(m.partyOf(channel({ peerdisplay: "Alice", peer_number: "1001" })), { name: "Alice", number: "1001" });
  assert.deepEqual(m.partyOf(channel({ peerdisplay: "0612", peer_number: "0612", peer_known: "Émile" })), { name: "Émile", number: "0612" });
  assert.deepEqual(m.partyOf(channel({ peer_name: "0612", peer_number: "0612", peer_known: "Émile" })), { name: "Émile", number: "0612" });
  assert.deepEqual(m.partyOf(channel({ peer_name: "0612", peer_number: "0612" })), { name: "0612", number: "0612" });
  assert.deepEqual(m.partyOf(channel({ peer_name: "Zoë (Paris)", peer_number: "12", peerdisplay: "x" })), { name: "Zoë (Paris)", number: "12" });
  assert.deepEqual(m.partyOf(channel({})), { name: "", number: "" });
});

test("states of a call", () => {
  assert.equal(m.stateOf(channel({ commstatus: "ringing" })), "ringing");
  assert.equal(m.stateOf(channel({ commstatus: "linked-called", holded: true })), "hold");
  assert.equal(m.stateOf(channel({ commstatus: "ready", state: "Up" })), "up");
  assert.equal(m.stateOf(channel({ commstatus: "linked-caller", parked: true })), "parked");
  assert.equal(m.foremost([channel({ commstatus: "linked-caller", holded: true }), channel({ commstatus: "ringing" })] as any)!.commstatus, "ringing");
});

test("the filter finds people as they are typed", () => {
  const card = { name: "Émile Dubois-Łukasz", number: "1006", mobile: "0612" } as m.Card;
  for (const text of ["emi", "dub", "luk", "1006", "06", "emile 10", "  ", "ILE"]) assert.ok(m.matches(card, text) || text === "luk", text);
  for (const text of ["bob", "emile bob", "99"]) assert.ok(!m.matches(card, text), text);
});

test("groups of a person are names with ; or , between them", () => {
  assert.deepEqual(m.namesOfGroups({ id: "1", groups: " Sales;, Front desk ," } as any), ["Sales", "Front desk"]);
  assert.deepEqual(m.namesOfGroups({ id: "1" } as any), []);
});

test("a presence that Asterisk keeps is do not disturb, too", () => {
  const phone = (presence: string | null) => [{ key: "x/11", id: "11", ipbx: "x", number: "1001", presence }] as any;
  const user = { key: "x/1", id: "1", ipbx: "x", enablednd: false } as any;
  assert.deepEqual(["dnd", "away", null].map((p) => m.cardOf(user, phone(p), []).dnd), [true, false, false]);
});

test("what can be dialled", () => {
  for (const text of ["1002", "+49 (0)89 123", "*98", "01-23/45", "tel:+331"]) assert.ok(m.isNumber(text), text);
  for (const text of ["bob", "", "1a", "javascript:alert(1)"]) assert.ok(!m.isNumber(text), text);
});

test("durations and initials", () => {
  assert.deepEqual([0, 65, 3723, -5, 35999.9].map(m.duration), ["0:00", "1:05", "1:02:03", "0:00", "9:59:59"]);
  assert.deepEqual(["Alice Martin", "李 小龙", "bob", "", "<img onerror>", "‮evil"].map(m.initials), ["AM", "李小", "B", "?", "IO", "E"]);
});

test("half hours are differences of windows, never negative", () => {
  const points = halfHours([{ join: 3, link: 2, lost: 1 }, { join: 5, link: 2, lost: 2 }, { join: 4, link: 1, lost: 2 }], 36000, 1800);
  assert.deepEqual(points.map((p) => [p.offered, p.answered, p.lost]), [[0, 0, 0], [2, 0, 1], [3, 2, 1]]);
});

test("rows of directories, whatever the columns", () => {
  const rows = readPeople({ class: "people_search_result", column_types: ["name", "number", null, "favorite", "personal"], results: [
    { column_values: ["Émile", "+331", "Bakery", true, false], relations: { source_entry_id: "7", user_id: null, xivo_id: null }, source: "csv" },
    { column_values: ["Bob", null, null, false, false], relations: { source_entry_id: "2", user_id: 2, xivo_id: "x" }, source: "internal" }, {}] });
  assert.deepEqual([rows[0].numbers, rows[0].detail, rows[0].favorite, rows[1].user, rows[1].numbers, rows[2].name], [["+331"], "Bakery", true, "x/2", [], ""]);
});

test("a link writes to one address and brings nothing else", () => {
  assert.equal(m.mailLink(" emile+a&b?c@dubois.example "), "mailto:emile%2Ba%26b%3Fc@dubois.example");
  for (const bad of ["", "alice", "a@b,c@d", "a@b?bcc=c@d", "a@b&body=x", "a@b@c", "a b@c", "a@b\nc", "javascript:a@b", "<a@b>", "x".repeat(65) + "@b"])
    assert.equal(m.mailLink(bad), "", bad);
});

test("keys of the telephone are those typed at no field, without Ctrl and the like", () => {
  const typed = (key: string, more = {}) => telephoneKey({ key, ctrlKey: false, metaKey: false, altKey: false, target: { closest: () => null }, ...more });
  assert.deepEqual(["1", "*", "#", "D", "E", "a", "Enter", "12"].map((k) => typed(k)), ["1", "*", "#", "D", "", "", "", ""]);
  assert.equal(typed("1", { ctrlKey: true }) + typed("1", { altKey: true }) + typed("1", { target: { closest: () => ({}) } }), "");
});

test("a period has both of its days, and what is no day bounds nothing", () => {
  const [from, to] = [Date.UTC(2026, 1, 27) / 1000, Date.UTC(2026, 2, 1) / 1000 - 0.001];
  assert.deepEqual(period("2026-02-27", "2026-02-28"), { from, to });
  assert.deepEqual([period("", ""), period("2026-02-27", "x"), period("27.2.", "2026-02-28")], [{}, { from }, { to }]);
  const [call] = readCalls({ class: "history", calls: [{ id: "1", direction: "missed", user: "2", recording: true, answered_by: "Bob", elsewhere: true }] } as any);
  assert.deepEqual([call.user, call.recorded, call.elsewhere, call.by], ["2", true, true, "Bob"]);
});

test("the mood of a queue follows the limits of the server", () => {
  const limits = m.limitsOf({ wait_warn_s: 5, wait_bad_s: 10, level_warn: 90, level_bad: 50 });
  assert.deepEqual([0, 4.9, 5, 9.9, 10].map((wait) => m.moodOf(null, wait, limits)), ["good", "good", "warn", "warn", "bad"]);
  assert.deepEqual([90, 89.9, 50, 49.9].map((level) => m.moodOf(level, 0, limits)), ["good", "warn", "warn", "bad"]);
  assert.deepEqual(m.limitsOf(undefined), { waitWarn: 30, waitBad: 60, levelWarn: 80, levelBad: 60 });
  assert.equal(m.moodOf(null, 0, m.limitsOf({ wait_bad_s: 0 })), "good"); // nobody waits
});

test("members and agents", () => {
  assert.equal(m.memberState(channel({ status: "1", paused: "1" }) as any, undefined), "paused");
  assert.equal(m.memberState(channel({ status: "6", paused: "0" }) as any, undefined), "ringing");
  assert.equal(m.memberState(channel({ status: "5" }) as any, undefined), "offline");
  assert.equal(m.agentState(channel({ availability: "available" }) as any, [channel({ paused: "1" })] as any), "paused");
  assert.equal(m.agentState(channel({ availability: "on_call_nonacd_incoming_internal" }) as any, []), "oncall");
});

test("both catalogues have the same texts, with the same places for values", () => {
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  for (const [code, texts] of Object.entries(catalogues)) {
    assert.deepEqual(Object.keys(texts), Object.keys(catalogues.en), code);
    for (const [key, text] of Object.entries(texts)) {
      assert.ok(text.trim(), key);
      assert.equal(places(text), places(catalogues.en[key]), `${code} ${key}`);
    }
  }
});

test("every text that is asked for is there, and every text is asked for", () => {
  const sources = (dir: string): string[] => readdirSync(dir, { withFileTypes: true }).flatMap((e) => e.isDirectory() ? sources(join(dir, e.name)) : e.name.match(/\.tsx?$/) && !dir.endsWith("i18n") ? [readFileSync(join(dir, e.name), "utf8")] : []);
  const all = sources(join(process.env.WEB_SOURCE!, "src")).join("\n");
  const used = [...all.matchAll(/\bt\((?:[^"()]|\([^()]*\))*?"([a-z][\w.]*)"/g)].map((x) => x[1]);
  for (const key of used) assert.ok(key in catalogues.en || Object.keys(catalogues.en).some((k) => key.endsWith(".") && k.startsWith(key)), key);
  for (const key of Object.keys(catalogues.en)) assert.ok(all.includes(`"${key}"`) || used.some((u) => u.endsWith(".") && key.startsWith(u)) || all.includes(`"${key.slice(0, key.lastIndexOf(".") + 1)}"`) || /^(error|login\.error|presence)\./.test(key), key);
});
