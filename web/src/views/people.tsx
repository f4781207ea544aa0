/* Colleagues: who is there, who talks with whom, and what can be done about it. */
import { useEffect, useMemo, useState } from "react";
import { t } from "../i18n";
import { Card, mailLink, matches, namesOfGroups } from "../model";
import type { Obj } from "../store";
import type { Session } from "../session";
import { useCard, useLamps, useList, useSession, useSetting, useTopic } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { Empty, Face, IconButton, Item, Menu, Timer, VirtualGrid } from "../ui/parts";
import { listenItems } from "./listen";
import { go } from "./shell";

type Filter = "all" | "free" | "calling" | "online";
const FILTERS: Filter[] = ["all", "free", "calling", "online"];

function passes(c: Card, filter: Filter): boolean {
  if (filter === "free") return c.lamp === "idle" && !c.dnd;
  if (filter === "calling") return c.lamp === "busy" || c.lamp === "ringing" || c.lamp === "hold";
  return filter === "all" || c.loggedIn;
}

/* Groups of people, ring groups and queues, whose members can be shown alone. */
function useGroups(users: Obj[]): { key: string; name: string }[] {
  const groups = useList("groups");
  const queues = useList("queues");
  const names = [...new Map(users.flatMap(namesOfGroups).map((name) => [name.toLowerCase(), name])).values()].sort().join(";");
  return useMemo(() => [
    ...names.split(";").filter(Boolean).map((name) => ({ key: "names:" + name.toLowerCase(), name })),
    ...groups.map((g) => ({ key: "groups:" + g.key, name: String(g.name || g.number) })),
    ...queues.map((q) => ({ key: "queues:" + q.key, name: String(q.displayname || q.name) })),
  ].sort((a, b) => a.name.localeCompare(b.name)), [names, groups, queues]);
}

function isIn(session: Session, c: Card, group: string): boolean {
  if (!group) return true;
  const [list, key] = group.split(/:(.*)/s) as ["names" | "groups" | "queues", string];
  if (list === "names") return c.groups.some((name) => name.toLowerCase() === key);
  const id = key.slice(key.indexOf("/") + 1);
  const agent = c.agent ? session.store.get("agents", c.key.split("/")[0] + "/" + c.agent) : undefined;
  return session.store.phonesOf(c.key).some((p) => (p[list] ?? []).includes(id)) || (agent?.[list] ?? []).includes(id);
}

export function People() {
  const session = useSession();
  const users = useList("users");
  const lamps = useLamps();
  const [text, setText] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const [stored, setFavorites] = useSetting("favorites", "");
  const [look, setLook] = useSetting("people.look", "cards");
  const [group, setGroup] = useSetting("people.group", "");
  const groups = useGroups(users);
  const favorites = useMemo(() => new Set(stored.split(" ").filter(Boolean)), [stored]);
  const sorted = useMemo(() => {
    const collator = new Intl.Collator();
    return users.map((u) => session.store.card(u.key)!).filter((c) => c && c.key !== session.user)
      .sort((a, b) => Number(favorites.has(b.key)) - Number(favorites.has(a.key)) || collator.compare(a.name, b.name)).map((c) => c.key);
  }, [users, favorites, session]);
  const changing = filter === "all" ? 0 : lamps; // only then a lamp decides who is shown
  const cards = useMemo(() => {
    const all = sorted.map((key) => session.store.card(key)!).filter(Boolean);
    return all.filter((c) => passes(c, filter) && matches(c, text) && isIn(session, c, groups.some((g) => g.key === group) ? group : ""));
  }, [sorted, changing, text, filter, group, groups, session]);
  const star = (key: string) => {
    const next = new Set(favorites);
    if (!next.delete(key)) next.add(key);
    setFavorites([...next].join(" "));
  };
  const dense = look === "list";
  useEffect(() => {
    if (cards.length > 0 && performance.getEntriesByName("usable").length === 0) requestAnimationFrame(() => performance.mark("usable"));
  }, [cards.length]);
  return (
    <section className="view people">
      <div className="bar">
        <h1>{t("nav.people")} <small>{cards.length}</small></h1>
        <input className="filter" type="search" value={text} onChange={(e) => setText(e.target.value)} placeholder={t("people.filter")} aria-label={t("people.filter")} />
        <div className="tabs" role="group" aria-label={t("people.show")}>
          {FILTERS.map((f) => <button type="button" key={f} aria-pressed={filter === f} onClick={() => setFilter(f)}>{t("people.show." + f)}</button>)}
        </div>
        {groups.length > 0 && (
          <select className="group" value={groups.some((g) => g.key === group) ? group : ""} onChange={(e) => setGroup(e.target.value)} aria-label={t("people.group")}>
            <option value="">{t("people.group.all")}</option>
            {groups.map((g) => <option key={g.key} value={g.key}>{g.name}</option>)}
          </select>
        )}
        <IconButton icon={dense ? "grid" : "list"} label={t(dense ? "people.cards" : "people.list")} onClick={() => setLook(dense ? "cards" : "list")} />
      </div>
      {cards.length === 0 ? <Empty icon="people" text={t(users.length <= 1 ? "people.none" : "people.nomatch")} /> : (
        <VirtualGrid key={look} items={cards} rowHeight={dense ? 46 : 84} minWidth={dense ? 320 : 310} gap={dense ? 2 : 10} id={(c) => c.key} label={t("nav.people")}
          render={(c) => <PersonCard cardKey={c.key} dense={dense} starred={favorites.has(c.key)} onStar={() => star(c.key)} />} />
      )}
    </section>
  );
}

function statusLine(session: Session, c: Card): string {
  if (c.lamp === "ringing") return c.peer ? t(c.incoming ? "line.ringing.with" : "line.calling.with", { peer: c.peer }) : t("lamp.ringing");
  if (c.lamp === "busy" && c.peer) return t("line.busy.with", { peer: c.peer });
  if (c.lamp === "hold" && c.peer) return t("line.hold.with", { peer: c.peer });
  if (c.lamp === "busy" || c.lamp === "hold") return t("lamp." + c.lamp);
  if (c.dnd) return t("line.dnd");
  if (c.forward) return t("forward.to", { to: c.forward });
  if (c.loggedIn) return session.presence(c.presence).name;
  return t("lamp." + c.lamp);
}

function PersonCard({ cardKey, dense, starred, onStar }: { cardKey: string; dense: boolean; starred: boolean; onStar: () => void }) {
  const session = useSession();
  const c = useCard(cardKey);
  useTopic("chat");
  if (!c) return null;
  const mine = session.currentCall();
  const unread = session.unread.get(c.key) ?? 0;
  const inCall = c.lamp === "busy" || c.lamp === "ringing" || c.lamp === "hold";
  const presence = session.presence(c.presence);
  const main = primary(session, c, !!mine);
  return (
    <article className={`person${dense ? " dense" : ""} is-${c.lamp}`} tabIndex={0} aria-label={`${c.name}, ${c.number}, ${t("lamp." + c.lamp)}${c.peer && inCall ? ", " + c.peer : ""}`}
      onDoubleClick={(e) => { if (!(e.target as HTMLElement).closest("button, .menu")) main?.run(); }} onKeyDown={(e) => { if (e.key === "Enter" && e.target === e.currentTarget) main?.run(); }}
      draggable={!!c.number} onDragStart={(e) => e.dataTransfer.setData("text/plain", c.number)}>
      <Face name={c.name} lamp={c.lamp} size={dense ? 30 : 42} />
      <div className="person-text">
        <strong dir="auto">{starred && <span className="starred" aria-label={t("favorite")}>★</span>}{c.name}</strong>
        <span className="person-number">{c.number}{c.loggedIn && <span className="presence-dot" title={presence.name}><i style={{ background: presence.color }} /></span>}</span>
        <span className="person-line" dir="auto">{statusLine(session, c)} {inCall && c.since > 0 && <Timer since={c.since} />}{c.queue && inCall && <span className="chip small">{session.queueLabel(c.queue)}</span>}</span>
      </div>
      <div className="person-buttons">
        {main && <IconButton icon={main.icon} label={main.label} kind={main.kind} onClick={main.run} />}
        {session.can("chitchat") && (c.loggedIn || unread > 0) && (
          <span className="with-badge"><IconButton icon="chat" label={t("chat.with", { name: c.name })} onClick={() => go("chat", c.key)} />{unread > 0 && <b className="badge">{unread}</b>}</span>
        )}
        <Menu label={t("menu.of", { name: c.name })} items={() => personItems(session, c, !!mine, starred, onStar)} />
      </div>
      {unread > 0 && <span className="sr">{t("chat.unread", { n: unread })}</span>}
    </article>
  );
}

/* What a click or Enter does: the most likely thing. */
function primary(session: Session, c: Card, inCall: boolean): { icon: string; label: string; kind: string; run: () => void } | null {
  if (inCall && c.number && c.number !== session.partnerNumber() && session.canCommand("transfer"))
    return { icon: "transfer", label: t("transfer.here", { name: c.name }), kind: "dial", run: () => session.transfer("user:" + c.key) };
  if (c.lamp === "ringing" && c.incoming && c.channel && session.canCommand("intercept"))
    return { icon: "phone", label: t("pickup", { name: c.name }), kind: "alarm", run: () => session.pickUp(c.key.split("/")[0] + "/" + c.channel) };
  if (c.number && !inCall && session.canCommand("dial"))
    return { icon: "phone", label: t("dial.name", { name: c.name }), kind: "dial", run: () => session.callUser(c.key) };
  return null;
}

function personItems(session: Session, c: Card, inCall: boolean, starred: boolean, onStar: () => void): (Item | false)[] {
  const agent = c.agent ? session.store.get("agents", c.key.split("/")[0] + "/" + c.agent) : undefined;
  return [
    session.canCommand("dial") && !!c.number && { label: `${t("dial")} ${c.number}`, icon: "phone", run: () => session.callUser(c.key) },
    session.canCommand("dial") && !!c.mobile && { label: `${t("dial.mobile")} ${c.mobile}`, icon: "mobile", run: () => session.dial(c.mobile) },
    !!mailLink(c.email) && { label: t("mail"), icon: "mail", href: mailLink(c.email) },
    session.can("chitchat") && (c.loggedIn || session.can("chat_history")) && { label: t("chat.with", { name: c.name }), icon: "chat", run: () => go("chat", c.key) },
    inCall && session.canCommand("transfer") && { label: t("transfer.blind"), icon: "transfer", run: () => session.transfer("user:" + c.key) },
    inCall && session.canCommand("atxfer") && { label: t("transfer.consult"), icon: "consult", run: () => session.consult("user:" + c.key) },
    inCall && !!c.voicemail && session.canCommand("transfer") && { label: t("transfer.voicemail"), icon: "voicemail", run: () => session.transfer(`voicemail:${c.key.split("/")[0]}/${c.voicemail}`) },
    !inCall && !!c.voicemail && session.canCommand("dial") && { label: t("dial.voicemail"), icon: "voicemail", run: () => session.command("dial", { destination: `voicemail:${c.key.split("/")[0]}/${c.voicemail}` }) },
    c.lamp === "ringing" && !!c.channel && session.canCommand("intercept") && { label: t("pickup", { name: c.name }), icon: "phone", run: () => session.pickUp(c.key.split("/")[0] + "/" + c.channel) },
    session.can("invite_confroom") && inCall && { label: t("invite"), icon: "room", run: () => session.send("invite_confroom", { invitee: "user:" + c.key }) },
    ...(agent ? listenItems(session, agent, c.lamp === "busy") : []),
    { label: t(starred ? "favorite.remove" : "favorite.add"), icon: "star", run: onStar },
  ];
}

export { Icon };
