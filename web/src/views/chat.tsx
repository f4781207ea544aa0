/* Chat with colleagues who are logged in. */
import { FormEvent, useEffect, useRef, useState } from "react";
import { t, time } from "../i18n";
import { nameOf } from "../model";
import { useCard, useLamps, useList, useSession, useTopic } from "../ui/hooks";
import { Empty, Face, IconButton } from "../ui/parts";
import { go, useHash } from "./shell";

export function Chat() {
  const session = useSession();
  useTopic("chat");
  useLamps();
  const users = useList("users");
  const [, who] = useHash();
  const [text, setText] = useState("");
  const known = [...session.chats.keys()].reverse();
  const kept = session.can("chat_history"); // who is not logged in reads it later
  const there = (k: string) => Number(!session.store.card(k)?.loggedIn);
  const listed = users.map((u) => u.key).filter((k) => k !== session.user && (kept || !there(k)) && !known.includes(k))
    .sort((a, b) => there(a) - there(b) || nameOf(session.store.get("users", a)).localeCompare(nameOf(session.store.get("users", b))));
  const keys = [...known, ...listed].filter((k) => nameOf(session.store.get("users", k)).toLowerCase().includes(text.toLowerCase()));
  return (
    <section className={"view chat" + (who ? " has-one" : "")}>
      <aside className="chat-list">
        <div className="bar"><h1>{t("nav.chat")}</h1></div>
        <input className="filter" type="search" value={text} onChange={(e) => setText(e.target.value)} placeholder={t("people.filter")} aria-label={t("people.filter")} />
        <ul className="rows scroll">
          {keys.map((k) => <Partner key={k} who={k} here={k === who} />)}
          {keys.length === 0 && <li className="hint">{t("chat.nobody")}</li>}
        </ul>
      </aside>
      {who ? <Conversation key={who} who={who} /> : <Empty icon="chat" text={t("chat.choose")} />}
    </section>
  );
}

function Partner({ who, here }: { who: string; here: boolean }) {
  const session = useSession();
  const card = useCard(who);
  const lines = session.chats.get(who);
  const unread = session.unread.get(who) ?? 0;
  const name = card?.name ?? who;
  return (
    <li><button type="button" className={"row choose" + (here ? " here" : "")} aria-current={here || undefined} onClick={() => go("chat", who)}>
      <Face name={name} lamp={card?.lamp} size={36} />
      <span className="row-name" dir="auto">{name}<small dir="auto">{lines?.[lines.length - 1]?.text ?? session.presence(card?.loggedIn ? card.presence : "disconnected").name}</small></span>
      {unread > 0 && <b className="badge">{unread}</b>}
    </button></li>
  );
}

function Conversation({ who }: { who: string }) {
  const session = useSession();
  const card = useCard(who);
  const lines = session.chats.get(who) ?? [];
  const [text, setText] = useState("");
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    session.loadChat(who);
    session.readChat(who);
    end.current?.scrollIntoView({ block: "end" });
  }, [lines.length, who, session]);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!text.trim()) return;
    session.chat(who, text.trim());
    setText("");
  };
  const name = card?.name ?? who;
  return (
    <div className="conversation">
      <header>
        <IconButton icon="close" label={t("close")} onClick={() => go("chat")} />
        <Face name={name} lamp={card?.lamp} size={36} />
        <span className="row-name" dir="auto">{name}<small>{card?.number}</small></span>
        {card?.number && session.canCommand("dial") && <IconButton icon="phone" kind="dial" label={t("dial.name", { name })} onClick={() => session.callUser(who)} />}
      </header>
      <div className="lines scroll" role="log" aria-label={t("chat.with", { name })}>
        {lines.length === 0 && <p className="hint">{t("chat.first", { name })}</p>}
        {lines.map((l, i) => <p key={i} className={l.mine ? "mine" : "theirs"} dir="auto">{l.text}<time>{time(l.at / 1000)}</time></p>)}
        <div ref={end} />
      </div>
      <form className="write" onSubmit={submit}>
        <input autoFocus value={text} maxLength={8000} onChange={(e) => setText(e.target.value)} placeholder={t("chat.write")} aria-label={t("chat.write")} dir="auto" />
        <button className="button primary" disabled={!text.trim()}>{t("send")}</button>
      </form>
    </div>
  );
}
