/* What follows from the objects of the protocol: pure functions, without React. */
import type { Obj } from "./store";

export type Lamp = "idle" | "ringing" | "busy" | "hold" | "offline" | "none";

/* A colleague, as the list shows it. */
export interface Card {
  key: string;
  name: string;
  number: string;
  mobile: string;
  email: string;
  groups: string[]; // those of people.csv
  lamp: Lamp;
  presence: string;
  loggedIn: boolean;
  dnd: boolean;
  forward: string; // where calls go, or empty
  peer: string; // with whom
  peerNumber: string;
  queue: string;
  incoming: boolean;
  since: number; // seconds since 1970, 0: unknown
  phone: string; // key of the main line
  channel: string; // id of the call shown, or empty
  voicemail: string; // id of the mailbox
  agent: string; // id of the agent
}

export function truth(v: any): boolean {
  return v === true || v === 1 || v === "1" || v === "true";
}

/* "Sales; Front desk" */
export function namesOfGroups(user: Obj): string[] {
  return String(user.groups ?? "").split(/[;,]/).map((name) => name.trim()).filter(Boolean);
}

export function nameOf(user: Obj | undefined): string {
  if (!user) return "";
  return String(user.fullname || [user.firstname, user.lastname].filter(Boolean).join(" ") || user.loginclient || user.id);
}

/* "Alice Martin (1001)" or either of them, as peerdisplay has it. */
export function splitDisplay(text: string): { name: string; number: string } {
  const m = /^(.*) \(([^()]*)\)$/.exec(text);
  if (m) return { name: m[1], number: m[2] };
  return /^[+*#0-9 ]+$/.test(text) ? { name: "", number: text } : { name: text, number: "" };
}

export interface Party {
  name: string;
  number: string;
}

/* The other end of a channel. What the directories know of its number stands in for a name. */
export function partyOf(channel: Obj): Party {
  const shown = splitDisplay(String(channel.peerdisplay ?? ""));
  const number = String(channel.peer_number ?? "") || shown.number;
  const name = String(channel.peer_name ?? "") || shown.name;
  return { name: (name !== number && name) || String(channel.peer_known ?? "") || name, number };
}

export type CallState = "ringing" | "calling" | "up" | "hold" | "parked";

export function stateOf(channel: Obj): CallState {
  if (truth(channel.parked)) return "parked";
  if (truth(channel.holded)) return "hold";
  if (String(channel.commstatus).startsWith("linked") || truth(channel.meetme_ismeetme)) return "up";
  if (channel.commstatus === "ringing") return "ringing";
  if (channel.commstatus === "calling") return "calling";
  return "up";
}

/* Which of several channels is the one to show: it rings, else it is talked on, else the first. */
export function foremost(channels: Obj[]): Obj | undefined {
  const order: CallState[] = ["ringing", "up", "calling", "hold", "parked"];
  return [...channels].sort((a, b) => order.indexOf(stateOf(a)) - order.indexOf(stateOf(b)))[0];
}

const HINTS: Record<string, Lamp> = {
  "-2": "offline", "-1": "offline", "0": "idle", "1": "busy", "2": "busy", "4": "offline", "8": "ringing", "9": "ringing",
  "16": "hold", "17": "hold",
};

function lampOfHint(status: any): Lamp {
  return HINTS[String(status)] ?? "none";
}

/* The hint is what others see of a phone, whatever channels show. */
export function lampOf(phones: Obj[], channel: Obj | undefined): Lamp {
  const order: Lamp[] = ["ringing", "busy", "hold", "idle", "offline", "none"];
  const lamps = phones.map((p) => lampOfHint(p.hintstatus));
  const lamp = lamps.sort((a, b) => order.indexOf(a) - order.indexOf(b))[0] ?? "none";
  if (!channel || lamp === "ringing") return lamp;
  const state = stateOf(channel);
  if (state === "hold" || state === "parked") return "hold";
  if (state === "ringing") return channel.direction === "out" ? "busy" : "ringing";
  return "busy";
}

function forwardOf(user: Obj): string {
  return truth(user.enableunc) && user.destunc ? String(user.destunc) : "";
}

export function cardOf(user: Obj, phones: Obj[], channels: Obj[]): Card {
  const channel = foremost(channels);
  const party = channel ? partyOf(channel) : { name: "", number: "" };
  return {
    key: user.key,
    name: nameOf(user),
    number: String(phones.find((p) => p.number)?.number ?? ""),
    mobile: String(user.mobilephonenumber ?? ""),
    groups: namesOfGroups(user),
    email: String(user.email ?? ""),
    lamp: lampOf(phones, channel),
    presence: String(user.availstate ?? "disconnected"),
    loggedIn: truth(user.connection === "yes" ? true : user.connection),
    dnd: truth(user.enablednd) || phones.some((p) => p.presence === "dnd"),
    forward: forwardOf(user),
    peer: party.name || party.number,
    peerNumber: party.number,
    queue: String(channel?.queue ?? ""),
    incoming: channel?.direction === "in",
    since: Number(channel?.timestamp ?? 0),
    phone: phones[0]?.key ?? "",
    channel: channel?.id ?? "",
    voicemail: user.voicemailid != null ? String(user.voicemailid) : "",
    agent: user.agentid != null && user.agentid !== 0 && user.agentid !== "" ? String(user.agentid) : "",
  };
}

/* ---- searching ---- */

/* Without case and accents. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/* All words of the filter begin a word of the name, or are in the number. */
export function matches(card: Card, filter: string): boolean {
  const words = fold(filter).split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const names = fold(card.name).split(/[\s\-']+/);
  const digits = (card.number + " " + card.mobile).replace(/[^0-9+* ]/g, "");
  return words.every((w) => names.some((n) => n.startsWith(w)) || digits.includes(w) || fold(card.name).includes(w));
}

/* Can this be dialled as it is? */
export function isNumber(text: string): boolean {
  return /^\s*[+*#(]?[0-9*#][0-9*#().\/\- ]*$/.test(text) || /^(tel|sip):/i.test(text);
}

/* A link that writes to this address, and to nobody else: one that brings more than an address
 * (recipients, a subject) is none. Empty: no link. */
export function mailLink(address: string): string {
  const m = /^([^\s@<>()",;:\\]{1,64})@([\p{L}\p{N}.\-]{1,255}|\[[0-9a-fA-F.:]+\])$/u.exec(address.trim());
  return m ? `mailto:${encodeURIComponent(m[1])}@${encodeURI(m[2])}` : "";
}

/* ---- queues and agents ---- */

export type MemberState = "idle" | "ringing" | "busy" | "paused" | "wrapup" | "offline";

/* The device state of a member, as AST_DEVICE_STATE numbers it. */
export function memberState(member: Obj, agent: Obj | undefined): MemberState {
  const status = String(member.status);
  if (agent && agent.availability === "logged_out") return "offline";
  if (["4", "5", "101"].includes(status)) return "offline";
  if (status === "6" || status === "7") return "ringing";
  if (["2", "3", "8"].includes(status) || truth(agent?.on_call_acd)) return "busy";
  if (truth(agent?.on_wrapup)) return "wrapup";
  if (truth(member.paused)) return "paused";
  return "idle";
}

export type AgentState = "available" | "paused" | "oncall" | "wrapup" | "logged_out";

export function agentState(agent: Obj, members: Obj[]): AgentState {
  const a = String(agent.availability ?? "logged_out");
  if (a === "logged_out") return "logged_out";
  if (truth(agent.on_call_acd) || a.startsWith("on_call")) return "oncall";
  if (truth(agent.on_wrapup)) return "wrapup";
  if (members.length > 0 && members.every((m) => truth(m.paused))) return "paused";
  return a === "unavailable" ? "oncall" : "available";
}

/* From where on a queue is to be watched, and is bad: the longest wait in seconds, the service level in per cent. */
export interface Limits {
  waitWarn: number;
  waitBad: number;
  levelWarn: number;
  levelBad: number;
}

/* As the server has them; those of an older server. */
export function limitsOf(wall: any): Limits {
  const of = (name: string, otherwise: number) => (Number.isFinite(wall?.[name]) ? Number(wall[name]) : otherwise);
  return { waitWarn: of("wait_warn_s", 30), waitBad: of("wait_bad_s", 60), levelWarn: of("level_warn", 80), levelBad: of("level_bad", 60) };
}

/* Good, to be watched, or bad. level: null where nothing was answered; wait: 0 when nobody waits. */
export function moodOf(level: number | null | undefined, wait: number, l: Limits): "good" | "warn" | "bad" {
  const waits = (limit: number) => wait > 0 && wait >= limit;
  if (waits(l.waitBad) || (level != null && level < l.levelBad)) return "bad";
  return waits(l.waitWarn) || (level != null && level < l.levelWarn) ? "warn" : "good";
}

/* "1:05", "12:34", "1:02:03". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  return h ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/* Two letters for a face, of any script. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter((w) => /\p{L}|\p{N}/u.test(w));
  const first = (w: string) => [...w.replace(/^[^\p{L}\p{N}]+/u, "")][0] ?? "";
  if (words.length === 0) return "?";
  return (first(words[0]) + (words.length > 1 ? first(words[words.length - 1]) : "")).toUpperCase();
}
