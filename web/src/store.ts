/*
 * What is known of the company: the lists of the protocol, as the gateway sends them, and the line of
 * each colleague that follows from them. Views subscribe to one object or one list; changes of one
 * frame are told together.
 */
import type { Message } from "./protocol";
import { Card, cardOf } from "./model";

export const LISTS = [
  "users", "phones", "channels", "calls", "agents", "queues", "queuemembers", "groups", "meetmes", "voicemails",
  "parkinglots", "trunks", "incalls", "contexts", "ipbx",
] as const;
export type ListName = (typeof LISTS)[number];

export interface Obj {
  readonly key: string; // "IPBX/ID"
  readonly id: string;
  readonly ipbx: string;
  readonly [field: string]: any;
}

type Listener = () => void;
type Lists = Record<ListName, Map<string, Obj>>;

function emptyLists(): Lists {
  return Object.fromEntries(LISTS.map((l) => [l, new Map()])) as Lists;
}

function isList(name: any): name is ListName {
  return LISTS.includes(name);
}

export class Store {
  private lists = emptyLists();
  private arrays = new Map<ListName, Obj[]>();
  private cards = new Map<string, Card>();
  private phoneOfChannel = new Map<string, string>(); // channel key -> phone key
  private phonesOfUser = new Map<string, Set<string>>(); // user key -> phone keys
  private dirtyUsers = new Set<string>();
  private topics = new Map<string, Set<Listener>>();
  private versions = new Map<string, number>();
  private changed = new Set<string>();
  private scheduled = false;
  stats: Record<string, Record<string, number>> = {}; // realtime figures, by queue id

  /* frame: calls fn soon, once (requestAnimationFrame). ask: asks for an object that is new. */
  constructor(private frame: (fn: () => void) => void, private ask: (list: ListName, ipbx: string, id: string) => void) {}

  get(list: ListName, key: string): Obj | undefined {
    return this.lists[list].get(key);
  }

  /* The same array until the list changes. */
  all(list: ListName): Obj[] {
    let array = this.arrays.get(list);
    if (!array) this.arrays.set(list, (array = [...this.lists[list].values()]));
    return array;
  }

  count(list: ListName): number {
    return this.lists[list].size;
  }

  card(userKey: string): Card | undefined {
    return this.cards.get(userKey);
  }

  phonesOf(userKey: string): Obj[] {
    const keys = this.phonesOfUser.get(userKey) ?? [];
    return [...keys].map((k) => this.lists.phones.get(k)).filter((p): p is Obj => !!p)
      .sort((a, b) => Number(a.rules_order ?? 1) - Number(b.rules_order ?? 1));
  }

  channelsOf(userKey: string): Obj[] {
    const out: Obj[] = [];
    for (const phone of this.phonesOf(userKey))
      for (const name of phone.channels ?? []) {
        const channel = this.lists.channels.get(phone.ipbx + "/" + name);
        if (channel) out.push(channel);
      }
    return out;
  }

  /* The user at whose phone a channel is. */
  userOfChannel(key: string): string | undefined {
    const phone = this.lists.phones.get(this.phoneOfChannel.get(key) ?? "");
    return phone?.iduserfeatures != null ? phone.ipbx + "/" + phone.iduserfeatures : undefined;
  }

  /* ---- subscriptions: "list", "list:KEY", "card:KEY", "stats" ---- */

  subscribe(topic: string, fn: Listener): () => void {
    let set = this.topics.get(topic);
    if (!set) this.topics.set(topic, (set = new Set()));
    set.add(fn);
    return () => {
      set!.delete(fn);
      if (set!.size === 0) this.topics.delete(topic);
    };
  }

  /* Grows with each change of the topic. */
  version(topic: string): number {
    return this.versions.get(topic) ?? 0;
  }

  private touch(topic: string): void {
    this.changed.add(topic);
    if (this.scheduled) return;
    this.scheduled = true;
    this.frame(() => this.flush());
  }

  /* Tells what has changed since the last time. */
  flush(): void {
    this.scheduled = false;
    for (const user of this.dirtyUsers) this.renewCard(user);
    this.dirtyUsers.clear();
    const topics = this.changed;
    this.changed = new Set();
    for (const topic of topics) this.versions.set(topic, (this.versions.get(topic) ?? 0) + 1);
    for (const topic of topics) for (const fn of [...(this.topics.get(topic) ?? [])]) fn();
  }

  private renewCard(userKey: string): void {
    const user = this.lists.users.get(userKey);
    const before = this.cards.get(userKey);
    if (!user) {
      this.cards.delete(userKey);
    } else {
      const card = cardOf(user, this.phonesOf(userKey), this.channelsOf(userKey));
      if (before && JSON.stringify(before) === JSON.stringify(card)) return;
      this.cards.set(userKey, card);
      if (!before || before.lamp !== card.lamp) this.changed.add("lamps");
    }
    this.changed.add("card:" + userKey);
  }

  /* ---- what arrives ---- */

  /* A new session: everything is known anew; `replace` gets the objects as they come. */
  beginSnapshot(): Snapshot {
    return new Snapshot((lists) => this.replace(lists));
  }

  private replace(lists: Lists): void {
    this.lists = lists;
    this.arrays.clear();
    this.cards.clear();
    this.phoneOfChannel.clear();
    this.phonesOfUser.clear();
    for (const phone of lists.phones.values()) this.indexPhone(undefined, phone);
    for (const user of lists.users.keys()) this.dirtyUsers.add(user);
    for (const topic of this.topics.keys()) this.touch(topic);
    for (const list of LISTS) this.touch(list);
    this.touch("lamps");
  }

  message(m: Message): void {
    if (m.class === "getqueuesstats" && m.stats && m.replyid === undefined) {
      for (const [id, figures] of Object.entries(m.stats)) this.stats[id] = { ...this.stats[id], ...(figures as any) };
      this.touch("stats");
    }
    if (m.class !== "getlist" || !isList(m.listname) || typeof m.tipbxid !== "string") return;
    const ids: string[] = Array.isArray(m.list) ? m.list.map(String) : [];
    if (m.function === "addconfig") for (const id of ids) this.ask(m.listname, m.tipbxid, id);
    else if (m.function === "delconfig") for (const id of ids) this.remove(m.listname, m.tipbxid + "/" + id);
    else if (m.function === "updateconfig") this.update(m.listname, m.tipbxid, String(m.tid), m.config);
    else if (m.function === "updatestatus") this.update(m.listname, m.tipbxid, String(m.tid), m.status);
  }

  private update(list: ListName, ipbx: string, id: string, fields: any): void {
    const key = ipbx + "/" + id;
    const before = this.lists[list].get(key);
    if (!fields || typeof fields !== "object") return;
    if (!before && Object.keys(fields).length === 0) return; // asked for, and gone
    const after: Obj = { ...before, ...fields, key, id, ipbx };
    this.lists[list].set(key, after);
    this.changedObject(list, key, before, after);
  }

  private remove(list: ListName, key: string): void {
    const before = this.lists[list].get(key);
    if (!before) return;
    this.lists[list].delete(key);
    this.changedObject(list, key, before, undefined);
  }

  private changedObject(list: ListName, key: string, before: Obj | undefined, after: Obj | undefined): void {
    this.arrays.delete(list);
    this.touch(list + ":" + key);
    this.touch(list);
    if (list === "users") this.dirtyUsers.add(key);
    if (list === "phones") this.indexPhone(before, after);
    if (list === "channels") {
      const user = this.userOfChannel(key);
      if (user) this.dirtyUsers.add(user);
    }
  }

  private indexPhone(before: Obj | undefined, after: Obj | undefined): void {
    for (const [phone, on] of [[before, false], [after, true]] as const) {
      if (!phone) continue;
      for (const name of phone.channels ?? []) {
        if (on) this.phoneOfChannel.set(phone.ipbx + "/" + name, phone.key);
        else this.phoneOfChannel.delete(phone.ipbx + "/" + name);
      }
      if (phone.iduserfeatures == null) continue;
      const user = phone.ipbx + "/" + phone.iduserfeatures;
      const set = this.phonesOfUser.get(user) ?? new Set();
      if (on) set.add(phone.key);
      else set.delete(phone.key);
      this.phonesOfUser.set(user, set);
      this.dirtyUsers.add(user);
    }
  }
}

/* The lists of a new session while they come: the old ones are shown until all is there. */
export class Snapshot {
  private lists = emptyLists();
  private late: Message[] = [];

  constructor(private done: (lists: Lists) => void) {}

  part(m: Message): void {
    if (!isList(m.listname)) return;
    for (const o of m.objects ?? []) {
      const key = m.tipbxid + "/" + o.tid;
      this.lists[m.listname].set(key, { ...o.config, ...o.status, key, id: String(o.tid), ipbx: m.tipbxid });
    }
  }

  /* A change that comes meanwhile: it is in the part of its object already, or follows. */
  change(m: Message): void {
    this.late.push(m);
  }

  finish(store: Store): void {
    this.done(this.lists);
    for (const m of this.late) store.message(m);
    store.flush();
  }
}
