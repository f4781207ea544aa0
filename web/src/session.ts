/*
 * One person in one browser: who it is, what the profile permits, what is known, and what is done in
 * that person's name. Views reach everything through it.
 */
import { Connection, Message, Phase, Refused, Socket } from "./protocol";
import { ListName, Obj, Snapshot, Store } from "./store";
import { foremost, Limits, limitsOf, nameOf, partyOf, stateOf, truth } from "./model";
import { t } from "./i18n";

export interface Presence {
  id: string;
  name: string;
  color: string;
}

export interface ChatLine {
  id: string; // of a line that the server keeps, or empty
  mine: boolean;
  text: string;
  at: number; // ms
}

export interface Sheet {
  channel: string;
  fields: { name: string; type: string; value: string }[];
  at: number;
}

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

export interface Saved {
  get(key: string): string | null;
  set(key: string, value: string | null, forGood: boolean): void;
}

const DOUBLE_MS = 1500;
const MAX_CHAT = 500; // lines with one colleague
const SHEET_MS = 3600000; // a sheet is of a call that began so long ago at most
const TOAST_MS = 6000;
export const TOKEN = "ctibus.token";
const UNREAD = "ctibus.unread";

/* Classes that the profile's regcommands must name; the others are permitted unless it denies them. */
const gated = new Set(["login_id", "getipbxlist", "getlist", "ipbxcommand", "availstate", "featuresget", "featuresput",
  "chitchat", "chat_history", "history", "directory", "getqueuesstats", "getagentsstats", "faxsend", "filetransfer", "actionfiche",
  "logfromclient", "admin_status", "admin_kick", "admin_reload"]);

type Listener = () => void;

export class Session {
  readonly store: Store;
  readonly connection: Connection;
  phase: Phase = "logged_out";
  reason = ""; // why the user must log in, an error_string or ""
  user = ""; // key of the own user
  ipbx = "";
  capas: any = {};
  ready = false; // the first snapshot is there
  chats = new Map<string, ChatLine[]>();
  unread = new Map<string, number>();
  private chatsLoaded = new Set<string>();
  sheets: Sheet[] = [];
  stateUp = true; // the gateway reaches state
  consulting = ""; // key of the own channel that asks somebody before a transfer
  dialled: { to: string; name: string; at: number } | null = null; // the last call that was asked for
  toasts: Toast[] = [];
  clockOffset = 0; // seconds that the server is ahead of this machine
  private topics = new Map<string, Set<Listener>>();
  private versions = new Map<string, number>();
  private snapshot: Snapshot | null = null;
  private nextToast = 1;
  resuming = false; // the login is by what the browser has kept
  private forGood = false;
  private faxes = new Set<(id: string, state: string) => void>();

  constructor(open: () => Socket, private saved: Saved) {
    this.store = new Store(frame, (list, ipbx, id) => this.fetch(list, ipbx, id));
    this.connection = new Connection(
      {
        open,
        ident: `web/${navigator.userAgent.slice(0, 150)}`,
        now: () => Date.now(),
        later: (ms, fn) => window.setTimeout(fn, ms),
        cancel: (timer) => window.clearTimeout(timer),
        random: Math.random,
      },
      {
        phase: (phase) => this.onPhase(phase),
        opened: (answer) => this.onOpened(answer),
        message: (m) => this.onMessage(m),
        refused: (reason) => this.onRefused(reason),
      },
    );
  }

  /* ---- subscriptions: "session", "chat", "sheets", "toasts" ---- */

  subscribe(topic: string, fn: Listener): () => void {
    const set = this.topics.get(topic) ?? new Set();
    this.topics.set(topic, set);
    set.add(fn);
    return () => set.delete(fn);
  }

  version(topic: string): number {
    return this.versions.get(topic) ?? 0;
  }

  private touch(topic: string): void {
    this.versions.set(topic, this.version(topic) + 1);
    for (const fn of [...(this.topics.get(topic) ?? [])]) fn();
  }

  /* ---- login ---- */

  /* By what the browser has kept. False: the user must log in. */
  resume(): boolean {
    const token = this.saved.get(TOKEN);
    this.forGood = this.saved.get("ctibus.stay") === "1";
    if (token) this.connection.login({ how: "token", token });
    else if (this.saved.get("ctibus.sso") === "1") this.connection.login({ how: "proxy" });
    else return false;
    this.resuming = true;
    return true;
  }

  login(user: string, password: string, stay: boolean): void {
    this.reason = "";
    this.resuming = false;
    this.forGood = stay;
    this.saved.set("ctibus.stay", stay ? "1" : null, true);
    this.connection.login({ how: "password", user, password, remember: true });
  }

  loginByProxy(): void {
    this.reason = "";
    this.saved.set("ctibus.sso", "1", true);
    this.connection.login({ how: "proxy" });
  }

  logout(everywhere = false): void {
    const token = this.saved.get(TOKEN);
    this.forget();
    this.connection.logout(token, everywhere);
  }

  private forget(): void {
    this.saved.set(TOKEN, null, true);
    this.saved.set("ctibus.sso", null, true);
    this.ready = false;
    this.user = "";
    this.chats.clear();
    this.chatsLoaded.clear();
    this.unread.clear();
    this.sheets = [];
  }

  private onPhase(phase: Phase): void {
    this.phase = phase;
    if (phase === "lost") this.snapshot = null;
    this.touch("session");
  }

  private onRefused(reason: string): void {
    this.forget();
    this.reason = reason;
    this.touch("session");
  }

  private onOpened(answer: Message): void {
    if (answer.token) {
      this.saved.set(TOKEN, answer.token, this.forGood);
      this.connection.remember(answer.token);
    }
    this.ipbx = String(answer.ipbxid);
    this.user = this.ipbx + "/" + answer.userid;
    this.capas = answer.capas ?? {};
    this.setClock(answer);
    this.stateUp = true;
    this.recallUnread();
    this.load();
    this.touch("session");
  }

  private async load(): Promise<void> {
    const snapshot = this.store.beginSnapshot();
    this.snapshot = snapshot;
    try {
      const sites = await this.connection.ask("getipbxlist");
      for (const ipbx of (sites.ipbxlist as string[]) ?? [this.ipbx])
        await this.connection.askParts("getlist", { function: "snapshot", tipbxid: ipbx }, (m) => {
          snapshot.part(m);
          return m.last === true;
        });
    } catch (e) {
      if (e instanceof Refused && e.reason !== "lost") this.toast(t("error." + e.reason), true);
      return; // the connection comes back, and so does this
    }
    if (this.snapshot !== snapshot) return;
    this.snapshot = null;
    snapshot.finish(this.store);
    this.ready = true;
    if (this.can("subscribetoqueuesstats")) this.connection.tell("subscribetoqueuesstats");
    this.touch("session");
  }

  private fetch(list: ListName, ipbx: string, id: string): void {
    for (const f of ["updateconfig", "updatestatus"])
      this.connection.ask("getlist", { function: f, listname: list, tipbxid: ipbx, tid: id }).catch(() => {});
  }

  private setClock(m: Message): void {
    if (typeof m.timenow === "number") this.clockOffset = m.timenow - Date.now() / 1000;
  }

  /* Seconds since 1970 by the server's clock. */
  now(): number {
    return Date.now() / 1000 + this.clockOffset;
  }

  private onMessage(m: Message): void {
    this.setClock(m);
    if (m.class === "state") {
      this.stateUp = m.up === true;
      this.touch("session");
    } else if (m.class === "chitchat" && m.from) this.onChat(m);
    else if (m.class === "sheet") this.onSheet(m);
    else if (m.class === "faxprogress") for (const fn of this.faxes) fn(String(m.fileid), String(m.status));
    else if (this.snapshot && m.class === "getlist" && m.replyid === undefined) this.snapshot.change(m);
    else this.store.message(m);
  }

  /* ---- who and what ---- */

  me(): Obj | undefined {
    return this.store.get("users", this.user);
  }

  name(): string {
    return nameOf(this.me());
  }

  can(cls: string): boolean {
    return gated.has(cls) ? has(this.capas.regcommands, cls) : !has(this.capas.deny, cls);
  }

  canCommand(command: string): boolean {
    return this.can("ipbxcommand") && has(this.capas.ipbxcommands, command);
  }

  canService(service: string): boolean {
    return this.can("featuresput") && has(this.capas.services, service);
  }

  /* Whose calls the history may list beside the own ones. */
  histories(): string[] {
    return ["group", "queue"].filter((scope) => has(this.capas.history, scope));
  }

  limits(): Limits {
    return limitsOf(this.capas.wall);
  }

  presences(): Presence[] {
    const all: Record<string, any> = this.capas.userstatus ?? {};
    return Object.entries(all).map(([id, p]) => ({ id, name: presenceName(id, p?.longname), color: p?.color ?? "#888" }));
  }

  presence(id: string): Presence {
    const p = this.capas.userstatus?.[id];
    return { id, name: presenceName(id, p?.longname), color: p?.color ?? "#888" };
  }

  myChannels(): Obj[] {
    return this.store.channelsOf(this.user);
  }

  /* The call that a transfer or a second call would concern: talked on, not ringing. */
  currentCall(): Obj | undefined {
    const up = this.myChannels().filter((c) => stateOf(c) === "up" || stateOf(c) === "hold");
    return foremost(up);
  }

  /* Who is at the other end of it. */
  partnerNumber(): string {
    const call = this.currentCall();
    return call ? partyOf(call).number : "";
  }

  /* A queue as people call it, by its name in Asterisk. */
  queueLabel(name: string): string {
    const queue = name ? this.store.all("queues").find((q) => q.name === name) : undefined;
    return String(queue?.displayname || queue?.name || name);
  }

  /* What there is at a number that is nobody's: a queue, a room, or the number itself. */
  placeOf(exten: string): string {
    const room = this.store.all("meetmes").find((m) => String(m.confno) === exten);
    const queue = this.store.all("queues").find((q) => String(q.number) === exten);
    return String(room?.name || queue?.displayname || queue?.name || exten);
  }

  /* The agent that the user is. */
  myAgent(): Obj | undefined {
    const id = this.me()?.agentid;
    return id != null ? this.store.get("agents", this.ipbx + "/" + id) : undefined;
  }

  /* ---- what is done ---- */

  send(cls: string, fields: object = {}): Promise<Message | null> {
    return this.connection.ask(cls, fields, (late) => this.onLate(late)).catch((e) => {
      this.toast(e instanceof Refused ? errorText(e.reason) : String(e), true);
      return null;
    });
  }

  command(command: string, fields: object = {}): Promise<Message | null> {
    return this.send("ipbxcommand", { command, ...fields }).then((answer) => {
      const reply = answer?.ipbxreply;
      if (!answer || reply === undefined || reply === "ok") return answer;
      this.toast(errorText(String(answer.error_string ?? reply)), true);
      return null;
    });
  }

  /* What Asterisk has answered to a command. */
  private onLate(m: Message): void {
    if (m.response === "ko") this.toast(errorText(String(m.error_string ?? "refused")), true);
    else if (m.error_string) this.toast(errorText(String(m.error_string)), true);
  }

  /* "1002", "user:xivo/5"... */
  dial(destination: string, name = ""): void {
    if (this.dialled && this.dialled.to === destination && Date.now() - this.dialled.at < DOUBLE_MS) return; // a double click
    this.dialled = { to: destination, name, at: Date.now() };
    this.command("dial", { destination: numberOf(destination) });
  }

  callUser(key: string): void {
    this.dial("user:" + key, nameOf(this.store.get("users", key)));
  }

  /* Is the own phone ringing because this page has asked it to call somebody? */
  isOwnDial(channel: Obj): boolean {
    return !!channel.autocall && stateOf(channel) === "ringing";
  }

  transfer(destination: string, channel?: Obj): void {
    this.command("transfer", { destination: numberOf(destination), ...source(channel ?? this.currentCall()) });
  }

  consult(destination: string, channel?: Obj): void {
    this.consulting = (channel ?? this.currentCall())?.key ?? "";
    this.command("atxfer", { destination: numberOf(destination), ...source(channel ?? this.currentCall()) });
  }

  cancelTransfer(): void {
    this.consulting = "";
    this.command("transfercancel");
  }

  completeTransfer(): void {
    this.consulting = "";
    this.send("complete_transfer");
  }

  hangup(channel: Obj): void {
    this.command("hangup", { channelids: [channelId(channel)] });
  }

  answer(channel: Obj): void {
    this.command("answer", channel.uniqueid ? { uniqueid: channel.uniqueid } : {});
  }

  refuse(channel: Obj): void {
    this.command("refuse", { channelids: [channelId(channel)] });
  }

  park(channel: Obj): void {
    this.command("parking", source(channel));
  }

  /* By a NOTIFY to the own phone, which not every phone understands. */
  hold(channel: Obj, on: boolean): void {
    const phone = this.store.phonesOf(this.user).find((p) => (p.channels ?? []).includes(channel.id));
    if (phone) this.command("sipnotify", { channel: "phone:" + phone.key, variables: { Event: on ? "hold" : "talk" } });
  }

  record(channel: Obj, on: boolean): void {
    this.command("record", { channel: channelId(channel), subcommand: on ? "start" : "stop" });
  }

  /* A key of the telephone, into a call. */
  dtmf(channel: Obj, key: string): void {
    this.command("dtmf", { channel: channelId(channel), digits: key });
  }

  /* Takes the call of a colleague whose phone rings. */
  pickUp(channelKey: string): void {
    this.command("intercept", { tointercept: "chan:" + channelKey });
  }

  /* how: listen; whisper (the agent hears the user) or barge (both ends do), where the profile permits it. */
  listen(agent: Obj, on: boolean, how: "listen" | "whisper" | "barge" = "listen"): void {
    this.command(how, { destination: "agent:" + agent.key, subcommand: on ? "start" : "stop" });
  }

  setPresence(id: string): void {
    this.send("availstate", { availstate: id });
  }

  setService(service: string, on: boolean): void {
    this.send("featuresput", { function: service, value: on });
  }

  setForward(kind: "unc" | "busy" | "rna", on: boolean, to: string): void {
    this.send("featuresput", { function: "fwd", value: { ["enable" + kind]: on, ["dest" + kind]: numberOf(to) } });
  }

  pause(member: string | null, queue: string | null, on: boolean, reason = ""): void {
    this.command(on ? "queuepause" : "queueunpause", {
      ...(member ? { member } : {}),
      queue: queue ? "queue:" + queue : "queue:" + this.ipbx + "/all",
      ...(reason ? { reason } : {}),
    });
  }

  chat(to: string, text: string): void {
    this.connection.ask("chitchat", { to, text }).then(
      (m) => {
        this.addChat(to, { id: "", mine: true, text, at: Date.now() });
        if (m.kept) this.toast(t("chat.kept"));
      },
      (e) => this.toast(errorText(e.reason), true),
    );
  }

  /* ---- chat ---- */

  private onChat(m: Message): void {
    const from = String(m.from);
    const user = this.store.get("users", from);
    if (m.id != null && this.chats.get(from)?.some((l) => l.id === String(m.id))) return; // told twice
    this.addChat(from, { id: m.id != null ? String(m.id) : "", mine: false, text: String(m.text ?? ""), at: m.when ? m.when * 1000 : Date.now() });
    this.unread.set(from, (this.unread.get(from) ?? 0) + 1);
    this.keepUnread();
    notify(nameOf(user) || t("chat.title"), String(m.text ?? ""), "chat:" + from);
    this.touch("chat");
  }

  private addChat(who: string, line: ChatLine): void {
    const lines = [...(this.chats.get(who) ?? []), line].slice(-MAX_CHAT);
    this.chats.set(who, lines);
    this.touch("chat");
  }

  /* What the server has kept of it, once for each colleague. */
  async loadChat(who: string): Promise<void> {
    if (this.chatsLoaded.has(who) || !this.can("chat_history")) return;
    this.chatsLoaded.add(who);
    const m = await this.connection.ask("chat_history", { with: who, limit: 100 }).catch(() => null);
    if (!m) return;
    const kept: ChatLine[] = (m.messages ?? []).map((l: any) => ({ id: String(l.id), mine: l.from === this.user, text: String(l.text), at: Number(l.when) * 1000 })).reverse();
    const here = (this.chats.get(who) ?? []).filter((l) => !kept.some((k) => k.id === l.id || (k.mine === l.mine && k.text === l.text && Math.abs(k.at - l.at) < 5000)));
    this.chats.set(who, [...kept, ...here].sort((a, b) => a.at - b.at).slice(-MAX_CHAT));
    this.touch("chat");
  }

  readChat(who: string): void {
    if (!this.unread.delete(who)) return;
    this.keepUnread();
    this.touch("chat");
  }

  /* Beyond a reload of the page. */
  private keepUnread(): void {
    this.saved.set(UNREAD, JSON.stringify([this.user, ...this.unread]), false);
  }

  private recallUnread(): void {
    try {
      const [user, ...unread] = JSON.parse(this.saved.get(UNREAD) ?? "[]");
      if (user === this.user && this.unread.size === 0) this.unread = new Map(unread);
    } catch {
      /* not ours */
    }
  }

  totalUnread(): number {
    return [...this.unread.values()].reduce((a, b) => a + b, 0);
  }

  /* ---- faxes ---- */

  onFax(fn: (id: string, state: string) => void): () => void {
    this.faxes.add(fn);
    return () => this.faxes.delete(fn);
  }

  /* ---- sheets ---- */

  private onSheet(m: Message): void {
    const sheet = m.sheet ?? m;
    if (!Array.isArray(sheet.fields)) return; // XML, for other clients
    const fields = sheet.fields
      .filter((f: any) => f && f.value != null && f.value !== "")
      .map((f: any) => ({ name: String(f.name ?? ""), type: String(f.type ?? "text"), value: String(f.value) }));
    const channel = String(m.channel ?? sheet.channel ?? "");
    this.sheets = [{ channel, fields, at: Date.now() }, ...this.sheets.filter((s) => s.channel !== channel)].slice(0, 10);
    this.touch("sheets");
  }

  /* The sheet of a call: it names the caller's channel, which is the own one's other end; behind a queue or
   * a chain of Local channels only the number tells. */
  sheetOf(channel: Obj): Sheet | undefined {
    const number = partyOf(channel).number;
    return this.sheets.find((s) => [channel.id, channel.uniqueid, channel.talkingto_id].includes(s.channel)) ??
      this.sheets.find((s) => number !== "" && Date.now() - s.at < SHEET_MS && s.fields.some((f) => f.value === number));
  }

  /* ---- toasts ---- */

  toast(text: string, bad = false): void {
    const toast = { id: this.nextToast++, text, bad };
    this.toasts = [...this.toasts, toast].slice(-4);
    this.touch("toasts");
    window.setTimeout(() => {
      this.toasts = this.toasts.filter((x) => x.id !== toast.id);
      this.touch("toasts");
    }, TOAST_MS);
  }
}

/* ---- helpers ---- */

/* A page that is hidden gets no frames, and must go on nevertheless. */
function frame(fn: () => void): void {
  if (document.hidden) window.setTimeout(fn, 100);
  else requestAnimationFrame(fn);
}

function has(list: any, name: string): boolean {
  return Array.isArray(list) ? list.includes(name) : !!list && typeof list === "object" && name in list;
}

function presenceName(id: string, longname: any): string {
  const key = "presence." + id;
  const translated = t(key);
  return translated !== key ? translated : String(longname ?? id);
}

/* What is typed or clicked, as the server takes it. */
export function numberOf(text: string): string {
  return text.trim().replace(/^(tel|sip):/i, "").replace(/^([^@]+)@.*$/, "$1");
}

function channelId(channel: Obj): string {
  return "chan:" + channel.key;
}

function source(channel: Obj | undefined): object {
  return channel ? { source: channelId(channel) } : {};
}

export function errorText(reason: string): string {
  const key = "error." + reason.split(":")[0];
  const text = t(key, { what: reason.split(":")[1] ?? "" });
  return text !== key ? text : t("error.other", { reason });
}

/* A desktop notification, while the page is hidden. */
export function notify(title: string, body: string, tag: string): void {
  if (!("Notification" in window) || Notification.permission !== "granted" || !document.hidden) return;
  try {
    const n = new Notification(title, { body, tag, icon: "/icon.svg" });
    n.onclick = () => {
      window.focus();
      n.close();
    };
  } catch {
    /* phones only let service workers do that */
  }
}

export { truth };
